import { digestAlgorithm, type Digest } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createRunningHash } from '#registry/storage/running-hash.ts';

const pieceBytes = 1024 * 1024;

export interface CopyOptions {
  from: string;
  to: string;
  /** How many bytes, from the first one. */
  bytes: number;
  /** In the form of a digest: its algorithm counts. */
  expected: Digest;
}

/** Copies the beginning of a file, not synced, and gives its digest; `undefined` when there is no such file, or it has less. */
export async function copyAndHash(
  driver: StorageDriver,
  { from, to, bytes, expected }: CopyOptions,
): Promise<Digest | undefined> {
  const source = await driver.open(from);
  if (!source) return undefined;
  try {
    const copy = await driver.append(to);
    try {
      const hash = createRunningHash(digestAlgorithm(expected));
      const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, bytes));
      while (hash.bytes < bytes) {
        const wanted = buffer.subarray(0, Math.min(buffer.byteLength, bytes - hash.bytes));
        const length = await source.read(wanted, hash.bytes);
        if (length < wanted.byteLength) return undefined;
        hash.update(wanted);
        await copy.write([wanted]);
      }
      return hash.digest();
    } finally {
      await copy.close();
    }
  } finally {
    await source.close();
  }
}
