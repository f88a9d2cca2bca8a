import { closeSync, constants, fsync, openSync } from 'node:fs';
import { open, rename, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** The calls on which durability rests; a test can listen in to their order. */
export interface DiskOperations {
  /** Makes a new file whose content survives a power failure once its directory has been synced. */
  write: (file: string, content: Uint8Array) => Promise<void>;
  /** Flushes the content of a file, or the entries of a directory. */
  sync: (path: string) => Promise<void>;
  rename: (from: string, to: string) => Promise<void>;
}

/** Each write waits for the disk, which spares a trip to the thread pool for the sync. */
const newAndSynced = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_SYNC;

export function diskOperations(isLocal: boolean): DiskOperations {
  return {
    write: (file, content) => writeFile(file, content, { flag: newAndSynced }),
    sync: isLocal ? syncLocally : syncAnywhere,
    rename,
  };
}

const fsyncInPool = promisify(fsync);

/** Opening what is there and closing it is a matter of the kernel's memory: 4 µs, and 80 by way of the thread pool. */
async function syncLocally(path: string): Promise<void> {
  const descriptor = openSync(path, 'r');
  try {
    await fsyncInPool(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function syncAnywhere(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
