import type { FileInfo, StorageDriver } from './driver.ts';

/** Of the looks at a file that come alone, one in so many waits to see whether others come with it. */
const probe = 16;

/**
 * The same driver, whose looks at files serve all who ask in one turn of the event loop: the first puts the look off until
 * every request that has arrived has been read, so that none gets an answer that is older than its question. Sixteen nodes
 * that pull one tag make two looks instead of 32. One that asks alone is not kept waiting.
 */
export function sharedLooks(driver: StorageDriver): StorageDriver {
  let waiting = new Map<string, PromiseWithResolvers<FileInfo | undefined>>();
  let asked = 0;
  let crowded = false;
  let alone = 0;

  function look(): void {
    const looks = waiting;
    waiting = new Map();
    crowded = asked > 1;
    asked = 0;
    for (const [path, { resolve }] of looks) resolve(driver.stat(path));
  }

  function together(path: string): Promise<FileInfo | undefined> {
    asked++;
    const known = waiting.get(path);
    if (known) return known.promise;
    const added = Promise.withResolvers<FileInfo | undefined>();
    if (waiting.size === 0) setImmediate(look);
    waiting.set(path, added);
    return added.promise;
  }

  return {
    ...driver,
    stat: (path) => (crowded || waiting.size > 0 || ++alone % probe === 0 ? together(path) : driver.stat(path)),
  };
}
