import { createHash } from 'node:crypto';
import type { Digest, DigestAlgorithm } from '#registry/oci/digest.ts';

export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

/** Bytes as a request brings them: piece by piece. */
export async function* pieces(bytes: Uint8Array | string, pieceBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(bytes);
  for (let at = 0; at < all.byteLength; at += pieceBytes) yield all.subarray(at, at + pieceBytes);
}

/** The smallest image manifest with this config; `salt` makes another one of it. */
export function imageManifest(config: Uint8Array | string, salt = ''): Buffer {
  const descriptor = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digestOf(config),
    size: Buffer.byteLength(config),
  };
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: descriptor,
      layers: [],
      annotations: { salt },
    }),
  );
}
