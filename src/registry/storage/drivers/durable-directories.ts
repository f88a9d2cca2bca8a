import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isExisting } from './file-info.ts';

export interface DurableDirectories {
  /** Makes `directory` and all above it, without promising anything yet. */
  make(directory: string): Promise<void>;
  /**
   * Flushes the entries of a directory: what was created, renamed or removed in it, and the directory itself in those
   * above it, so that all survives a power failure.
   */
  sync(directory: string): Promise<void>;
  /** Flushes the entries of a directory that need not survive itself. */
  syncEntries(directory: string): Promise<void>;
  /** Another process removed it, or something above it: believe nothing that was remembered. */
  forget(): void;
}

/** How many directories are remembered; more only cost another mkdir and a sync. */
const remembered = 10_000;

/**
 * A rename is durable only when the directory has been synced, and the directory only when its parent has: up to the
 * root, once per directory in the life of the process (one found there may stem from a process that died before its
 * sync). All are synced side by side, after the rename, so that the file system can do it in one commit.
 */
export function createDurableDirectories(root: string, syncOne = syncDirectory): DurableDirectories {
  const made = new Set<string>([root]);
  const durable = new Set<string>([root]);
  const syncEntries = createSharedSyncs(syncOne);
  let generation = 0;

  async function make(directory: string): Promise<void> {
    if (made.has(directory)) return;
    await make(dirname(directory));
    try {
      await mkdir(directory);
    } catch (error) {
      if (!isExisting(error)) throw error;
    }
    if (made.size > remembered) forget();
    made.add(directory);
  }

  async function sync(directory: string): Promise<void> {
    const begun = generation;
    const above: string[] = [];
    for (let at = directory; !durable.has(at); at = dirname(at)) above.push(dirname(at));
    await Promise.all([directory, ...above].map(syncEntries));
    // What was forgotten meanwhile may be another directory of the same name by now.
    if (begun !== generation) return;
    for (let at = directory; !durable.has(at); at = dirname(at)) durable.add(at);
  }

  function forget(): void {
    generation++;
    for (const directories of [made, durable]) {
      directories.clear();
      directories.add(root);
    }
  }

  return { make, sync, syncEntries, forget };
}

/**
 * A sync that is asked for while one of the same directory runs may come too late for that one, so it waits for the next,
 * together with all who ask meanwhile: as databases group commits.
 */
function createSharedSyncs(syncOne: typeof syncDirectory): (directory: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  function start(directory: string): Promise<void> {
    waiting.delete(directory);
    const sync = syncOne(directory).finally(() => running.delete(directory));
    running.set(directory, sync);
    return sync;
  }

  return (directory) => {
    const current = running.get(directory);
    if (!current) return start(directory);
    const next = waiting.get(directory) ?? current.catch(() => {}).then(() => start(directory));
    waiting.set(directory, next);
    return next;
  };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
