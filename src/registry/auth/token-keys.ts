/** The keys that tokens may be signed with: certificates of `rootcertbundle`, keys of `jwks`. */
import { createHash, createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import { isTrusted, parseCertificates, parseX5c } from './certificates.ts';

/** Without an algorithm of its own: a key set need not name one, and a key fits its family only. */
export type VerificationKey = KeyObject | Uint8Array;

export interface TokenKeys {
  /** The key that a token's header names, when it is trusted. */
  find(header: { x5c?: unknown; jwk?: unknown; kid?: unknown }, at: Date): VerificationKey | undefined;
}

export interface TokenKeyFiles {
  /** PEM; empty when there is none. */
  rootCertBundle: string;
  /** A JSON Web Key Set; empty when there is none. */
  jwks: string;
}

/** Rejects with an Error that says which file is wrong, or that neither has a key. */
export async function loadTokenKeys({ rootCertBundle, jwks }: TokenKeyFiles): Promise<TokenKeys> {
  const roots = rootCertBundle === '' ? [] : await load(rootCertBundle, parseCertificates);
  const set = jwks === '' ? [] : await load(jwks, parseKeySet);
  const trusted = new Map<string, VerificationKey>();
  for (const root of roots) for (const id of await keyIds(root)) trusted.set(id, root.publicKey);
  for (const { kid, key } of set) trusted.set(kid, key);
  if (trusted.size === 0) throw new Error('rootcertbundle and jwks have no key with which a token could be signed');
  return { find: (header, at) => findKey(header, roots, trusted, at) };
}

/** Of a private key the public part. */
function keyOf(jwk: JWK): VerificationKey {
  if (jwk.kty !== 'oct') return createPublicKey({ key: jwk, format: 'jwk' });
  const secret = Buffer.from(jwk.k ?? '', 'base64url');
  // Anybody could sign with less.
  if (secret.length < 32) throw new Error(`the secret of key "${jwk.kid}" has less than 32 bytes`);
  return secret;
}

async function load<T>(path: string, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new Error(`${path} can't be used: ${(error as Error).message}`, { cause: error });
  }
}

/** Keys without a name can't be found by a token, and are left out. */
function parseKeySet(text: string): { kid: string; key: VerificationKey }[] {
  const { keys } = JSON.parse(text) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('expected a JSON Web Key Set: {"keys": [...]}');
  return (keys as JWK[]).flatMap((jwk) => (jwk.kid ? [{ kid: jwk.kid, key: keyOf(jwk) }] : []));
}

/** In the order in which distribution looks: `x5c`, then `jwk` with or without one, then `kid`. */
function findKey(
  { x5c, jwk, kid }: { x5c?: unknown; jwk?: unknown; kid?: unknown },
  roots: X509Certificate[],
  trusted: ReadonlyMap<string, VerificationKey>,
  at: Date,
): VerificationKey | undefined {
  if (x5c !== undefined) return keyOfChain(x5c, roots, at);
  if (typeof jwk === 'object' && jwk !== null) {
    const own = jwk as JWK;
    return own.x5c === undefined ? trusted.get(own.kid ?? '') : keyOfChain(own.x5c, roots, at);
  }
  return typeof kid === 'string' ? trusted.get(kid) : undefined;
}

function keyOfChain(x5c: unknown, roots: X509Certificate[], at: Date): KeyObject | undefined {
  const [leaf, ...intermediates] = parseX5c(x5c) ?? [];
  return leaf && isTrusted(leaf, intermediates, roots, at) ? leaf.publicKey : undefined;
}

/** The names that token servers give to the key of a root certificate. */
async function keyIds(certificate: X509Certificate): Promise<string[]> {
  const jwk = await exportJWK(certificate.publicKey);
  return [
    await calculateJwkThumbprint(jwk, 'sha256'),
    // Distribution 3 writes coordinates without leading zeros, against RFC 7518 6.2.1.2; one key of 128 has some.
    await calculateJwkThumbprint({ ...jwk, ...shortCoordinates(jwk) }, 'sha256'),
    libtrustId(certificate.publicKey),
  ];
}

function shortCoordinates({ x, y }: JWK): Pick<JWK, 'x' | 'y'> {
  if (x === undefined || y === undefined) return {};
  const short = (text: string) =>
    Buffer.from(text, 'base64url')
      .toString('hex')
      .replace(/^(?:00)+/, '');
  return {
    x: Buffer.from(short(x), 'hex').toString('base64url'),
    y: Buffer.from(short(y), 'hex').toString('base64url'),
  };
}

/**
 * The key ID of distribution 2: the first 240 bits of the SHA-256 of the key, in base 32, four letters at a time.
 * Source: docker/libtrust, util.go, keyIDFromCryptoKey.
 */
export function libtrustId(key: KeyObject): string {
  const digest = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 30);
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{5}/g) ?? []).map(
    (five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five, 2)],
  );
  return (letters.join('').match(/.{4}/g) ?? []).join(':');
}
