import { createHash, type Hash } from 'node:crypto';
import type { Digest, DigestAlgorithm } from '#registry/oci/digest.ts';
import type { StorageDriver } from './driver.ts';

/** The hash of the first `bytes` bytes of an upload. */
export interface RunningHash {
  readonly algorithm: DigestAlgorithm;
  readonly bytes: number;
  update(chunk: Uint8Array): void;
  /** Of what has been seen so far; more may follow. */
  digest(): Digest;
}

export function createRunningHash(algorithm: DigestAlgorithm): RunningHash {
  const hash: Hash = createHash(algorithm);
  let bytes = 0;
  return {
    algorithm,
    get bytes() {
      return bytes;
    },
    update(chunk) {
      hash.update(chunk);
      bytes += chunk.byteLength;
    },
    digest: () => `${algorithm}:${hash.copy().digest('hex')}` as Digest,
  };
}

const readBytes = 1024 * 1024;

/** Hashes a whole file; `undefined` when it is missing. */
export async function hashFile(
  driver: StorageDriver,
  path: string,
  algorithm: DigestAlgorithm,
): Promise<RunningHash | undefined> {
  const file = await driver.open(path);
  if (!file) return undefined;
  try {
    const running = createRunningHash(algorithm);
    const buffer = Buffer.allocUnsafe(readBytes);
    for (;;) {
      const length = await file.read(buffer, running.bytes);
      running.update(buffer.subarray(0, length));
      if (length < buffer.byteLength) return running;
    }
  } finally {
    await file.close();
  }
}
