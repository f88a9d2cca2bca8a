/**
 * A content digest `<algorithm>:<encoded>` whose form has been checked, so that it is safe in a path.
 * Source: image-spec descriptor.md "Digests"; distribution-spec knows sha256 and sha512.
 */
export type Digest = string & { readonly __brand: 'Digest' };

export type DigestAlgorithm = 'sha256' | 'sha512';

const encodedLength: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };

/** `undefined` when `text` is not a digest of an algorithm that this registry stores. */
export function parseDigest(text: string): Digest | undefined {
  const colon = text.indexOf(':');
  const expected = encodedLength[text.slice(0, colon) as DigestAlgorithm];
  if (colon < 0 || expected === undefined || text.length - colon - 1 !== expected) return undefined;
  for (let i = colon + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const lowerHex = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
    if (!lowerHex) return undefined;
  }
  return text as Digest;
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.slice(0, digest.indexOf(':')) as DigestAlgorithm;
}

/** The hexadecimal part. */
export function digestEncoded(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}
