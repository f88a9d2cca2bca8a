import { digestAlgorithm, type Digest } from '#registry/oci/digest.ts';
import type { FileInfo, StorageDriver } from '#registry/storage/driver.ts';
import { blobData } from '#registry/storage/layout.ts';
import { createRunningHash } from '#registry/storage/running-hash.ts';

export interface Verdict {
  sound: boolean;
  /** Of the file that was read. */
  info: FileInfo;
  /** What the content really is. */
  actual: Digest;
}

/**
 * Reads all of a blob; `undefined` when it is missing. `seen` is told of each piece before it is hashed, and may wait or end it by
 * throwing. The size needs no look of its own: other bytes, or fewer, have another digest.
 */
export async function verifyBlob(
  driver: StorageDriver,
  digest: Digest,
  { buffer, seen }: { buffer: Buffer; seen: (bytes: number) => Promise<void> },
): Promise<Verdict | undefined> {
  const file = await driver.open(blobData(digest));
  if (!file) return undefined;
  try {
    const running = createRunningHash(digestAlgorithm(digest));
    for (;;) {
      const length = await file.read(buffer, running.bytes);
      await seen(length);
      running.update(buffer.subarray(0, length));
      if (length < buffer.byteLength) break;
    }
    const actual = running.digest();
    return { sound: actual === digest, info: file.info, actual };
  } finally {
    await file.close();
  }
}
