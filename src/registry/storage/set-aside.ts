import { dirname } from 'node:path';
import type { Digest } from '#registry/oci/digest.ts';
import { isSameFile, type FileInfo } from './driver.ts';
import { blobData } from './layout.ts';
import type { StoreContext } from './store-context.ts';

/**
 * Moves the data of a blob out of the tree, under the lock of its digest, and only while it is the file that `seen` tells
 * of: what a push has put there since stays. From then on the blob is missing, so that the next push heals it.
 */
export async function setBlobAside(
  context: StoreContext,
  digest: Digest,
  { seen, to }: { seen: FileInfo; to: string },
): Promise<boolean> {
  const { driver, locks, contents } = context;
  const path = blobData(digest);
  return locks.run(digest, async () => {
    const info = await driver.stat(path);
    if (!info || !isSameFile(info, seen) || !(await driver.move(path, to))) return false;
    // Another process on the same volume does not know of our lock: the file that it has just put there goes back.
    const moved = await driver.stat(to);
    if (moved && !isSameFile(moved, seen)) {
      await driver.move(to, path);
      return false;
    }
    contents.forget(digest);
    await driver.removeEmpty(dirname(path));
    context.notify((observer) => observer.blobRemoved?.(digest));
    return true;
  });
}
