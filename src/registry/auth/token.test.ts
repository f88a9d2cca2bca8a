/** Tokens signed with real keys and certificates; the certificates are made by openssl. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, SignJWT, type JWK, type JWTHeaderParameters, type JWTPayload } from 'jose';
import type { RegistryError } from '#registry/oci/errors.ts';
import { createLogger } from '#shared/logger.ts';
import { openScope } from '#test/support/scope.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import type { Access } from './authenticator.ts';
import { libtrustId } from './token-keys.ts';
import { createTokenAuthenticator, type TokenOptions } from './token.ts';

const run = promisify(execFile);
const scope = openScope();
const pull: Access = { Type: 'repository', Class: '', Name: 'a/b', Action: 'pull' };
const push: Access = { ...pull, Action: 'push' };

interface Signer {
  key: KeyObject;
  header: JWTHeaderParameters;
}

let folder = '';
const signers = {} as Record<'set' | 'certificate', Signer>;
let chain: string[] = [];
let leafKey: KeyObject;

before(async () => {
  folder = await temporaryFolder(scope);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk: JWK = { ...(await exportJWK(createPublicKey(privateKey))), kid: 'first' };
  await writeFile(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
  signers.set = { key: privateKey, header: { alg: 'ES256', kid: 'first' } };
  await makeCertificates();
  const root = await certificate('root');
  const kid = await calculateJwkThumbprint(await exportJWK(root.publicKey));
  signers.certificate = { key: await privateKeyOf('root'), header: { alg: 'RS256', kid } };
  chain = await Promise.all(['leaf', 'middle'].map(async (name) => (await certificate(name)).raw.toString('base64')));
  leafKey = await privateKeyOf('leaf');
});

/** root -> middle -> leaf, and a stranger. */
async function makeCertificates(): Promise<void> {
  const at = (name: string) => join(folder, name);
  const request = (name: string, ...more: string[]) =>
    run('openssl', [
      'req',
      '-newkey',
      name === 'root' ? 'rsa:2048' : 'ec',
      ...(name === 'root' ? [] : ['-pkeyopt', 'ec_paramgen_curve:P-256']),
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      at(`${name}.key`),
      ...more,
    ]);
  const ca = ['-addext', 'basicConstraints=critical,CA:TRUE'];
  for (const name of ['root', 'stranger'])
    await request(name, '-x509', '-days', '3650', ...ca, '-out', at(`${name}.crt`));
  for (const [name, issuer, extension] of [
    ['middle', 'root', 'basicConstraints=critical,CA:TRUE'],
    ['leaf', 'middle', 'basicConstraints=CA:FALSE'],
  ] as const) {
    await request(name, '-out', at(`${name}.csr`));
    await writeFile(at(`${name}.ext`), extension);
    const signed = [
      '-CA',
      at(`${issuer}.crt`),
      '-CAkey',
      at(`${issuer}.key`),
      '-CAcreateserial',
      '-extfile',
      at(`${name}.ext`),
    ];
    await run('openssl', [
      'x509',
      '-req',
      '-in',
      at(`${name}.csr`),
      ...signed,
      '-days',
      '3650',
      '-out',
      at(`${name}.crt`),
    ]);
  }
}

async function certificate(name: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(join(folder, `${name}.crt`)));
}

async function privateKeyOf(name: string): Promise<KeyObject> {
  return createPrivateKey(await readFile(join(folder, `${name}.key`)));
}

function options(more: Partial<TokenOptions> = {}): TokenOptions {
  return {
    realm: 'https://auth.example.com/token',
    service: 'registry.example.com',
    issuer: 'issuer',
    rootCertBundle: join(folder, 'root.crt'),
    jwks: join(folder, 'jwks.json'),
    signingAlgorithms: [],
    logger: createLogger({ level: 'silent' }),
    // The certificates are of today, whatever day that is.
    now: Date.now,
    ...more,
  };
}

const granted = [{ type: 'repository', name: 'a/b', actions: ['pull'] }];

function token({ key, header }: Signer, claims: JWTPayload = {}): Promise<string> {
  const at = Math.floor(Date.now() / 1000);
  const usual = {
    iss: 'issuer',
    aud: 'registry.example.com',
    sub: 'somebody',
    exp: at + 300,
    nbf: at - 10,
    access: granted,
  };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader(header).sign(key);
}

async function refusal(
  header: string | undefined,
  access: Access[] = [pull],
  more: Partial<TokenOptions> = {},
): Promise<string> {
  const { authenticate } = await createTokenAuthenticator(options(more));
  const headers = { host: 'registry.example.com:5000', ...(header === undefined ? {} : { authorization: header }) };
  return authenticate(headers, access).then(
    () => 'let in',
    (error: RegistryError) => error.headers['WWW-Authenticate'] ?? String(error),
  );
}

const challenge = 'Bearer realm="https://auth.example.com/token",service="registry.example.com"';

test('without a token the challenge names what is needed', async () => {
  assert.equal(await refusal(undefined, []), challenge);
  assert.equal(await refusal('Basic dTpw', [pull, push]), `${challenge},scope="repository:a/b:pull,push"`);
  const from: Access = { ...pull, Name: 'c' };
  assert.equal(
    await refusal(undefined, [pull, push, from]),
    `${challenge},scope="repository:a/b:pull,push repository:c:pull"`,
  );
});

test('a token that grants everything that is needed lets in, by its key set, certificate or chain', async () => {
  const { authenticate } = await createTokenAuthenticator(options());
  const ofRoot = signers.certificate;
  const libtrust = { ...ofRoot, header: { alg: 'RS256', kid: libtrustId((await certificate('root')).publicKey) } };
  const byChain = { key: leafKey, header: { alg: 'ES256', x5c: chain } };
  const byJwk = {
    key: leafKey,
    header: { alg: 'ES256', jwk: { ...(await exportJWK(createPublicKey(leafKey))), x5c: chain } as JWK },
  };
  for (const signer of [signers.set, ofRoot, libtrust, byChain, byJwk]) {
    const authorization = `Bearer ${await token(signer)}`;
    assert.deepEqual(await authenticate({ authorization }, [pull]), { name: 'somebody', unrestricted: false });
  }
});

test('a token that grants too little is told which scope is missing', async () => {
  const header = `Bearer ${await token(signers.set)}`;
  assert.equal(
    await refusal(header, [pull, push]),
    `${challenge},scope="repository:a/b:pull,push",error="insufficient_scope"`,
  );
  const all = `Bearer ${await token(signers.set, { access: [{ type: 'repository', name: 'a/b', actions: ['*'] }] })}`;
  assert.equal(await refusal(all, [pull, push]), 'let in');
  for (const access of [undefined, 'x', [null], [{ type: 'repository', name: 'a/b', actions: 'pull' }]]) {
    assert.match(await refusal(`Bearer ${await token(signers.set, { access })}`), /insufficient_scope/);
  }
});

test('every other token is invalid', async () => {
  const at = Math.floor(Date.now() / 1000);
  const good = await token(signers.set);
  const strangers = { key: await privateKeyOf('stranger'), header: signers.set.header };
  const selfMade = {
    key: strangers.key,
    header: { alg: 'ES256', x5c: [(await certificate('stranger')).raw.toString('base64')] },
  };
  const headless = { key: leafKey, header: { alg: 'ES256', x5c: chain.slice(0, 1) } };
  const bad: Record<string, string> = {
    'another issuer': await token(signers.set, { iss: 'other' }),
    'another audience': await token(signers.set, { aud: ['other'] }),
    expired: await token(signers.set, { exp: at - 70 }),
    'without an end': await token(signers.set, { exp: undefined as never }),
    'not yet valid': await token(signers.set, { nbf: at + 70 }),
    'an unknown key': await token({ ...signers.set, header: { alg: 'ES256', kid: 'second' } }),
    'a key without a name': await token({ ...signers.set, header: { alg: 'ES256' } }),
    'the key of a stranger': await token(strangers),
    'a certificate of a stranger': await token(selfMade),
    'a chain with a gap': await token(headless),
    'a changed signature': good.slice(0, -4) + (good.endsWith('AAAA') ? 'BBBB' : 'AAAA'),
    'no signature': `${good.split('.', 2).join('.')}.`,
    'alg none': `${Buffer.from('{"alg":"none","kid":"first"}').toString('base64url')}.${good.split('.')[1]}.`,
    garbage: 'x.y.z',
    nothing: ' ',
  };
  for (const [what, text] of Object.entries(bad)) {
    assert.match(await refusal(`Bearer ${text}`), /error="invalid_token"$/, what);
  }
  assert.match(await refusal(`Bearer ${good}`, [pull], { signingAlgorithms: ['RS256'] }), /invalid_token/);
});

test('clocks may differ by a minute, and an audience may be one of several', async () => {
  const at = Math.floor(Date.now() / 1000);
  for (const claims of [{ exp: at - 50 }, { nbf: at + 50 }, { aud: ['other', 'registry.example.com'] }]) {
    assert.equal(await refusal(`Bearer ${await token(signers.set, claims)}`), 'let in', JSON.stringify(claims));
  }
});

test('a chain counts at the time of the request only', async () => {
  const header = `Bearer ${await token({ key: leafKey, header: { alg: 'ES256', x5c: chain } }, { exp: 4e9, nbf: 0 })}`;
  assert.equal(await refusal(header), 'let in');
  const later = () => Date.now() + 4000 * 86_400_000;
  assert.match(await refusal(header, [pull], { now: later }), /invalid_token/);
});

test('autoredirect sends clients to the host that they called', async () => {
  const redirected = await refusal(undefined, [], { autoRedirectPath: '/auth/token' });
  assert.equal(
    redirected,
    'Bearer realm="https://registry.example.com:5000/auth/token",service="registry.example.com"',
  );
});

test('files without a key, or that can not be read, stop the start', async () => {
  await writeFile(join(folder, 'empty.json'), '{"keys": []}');
  await writeFile(join(folder, 'broken.json'), '[]');
  await writeFile(join(folder, 'weak.json'), '{"keys": [{"kid": "w", "kty": "oct", "k": ""}]}');
  await assert.rejects(
    createTokenAuthenticator(options({ jwks: join(folder, 'weak.json') })),
    /weak\.json .*less than 32 bytes/,
  );
  const none = { rootCertBundle: '' };
  await assert.rejects(createTokenAuthenticator(options({ ...none, jwks: join(folder, 'empty.json') })), /have no key/);
  await assert.rejects(
    createTokenAuthenticator(options({ ...none, jwks: join(folder, 'broken.json') })),
    /broken\.json can't be used/,
  );
  await assert.rejects(
    createTokenAuthenticator(options({ rootCertBundle: join(folder, 'missing.crt') })),
    /missing\.crt can't be used/,
  );
});
