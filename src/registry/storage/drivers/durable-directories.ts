import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isExisting } from './file-info.ts';

export interface DurableDirectories {
  /** Makes `directory` and all above it, without promising anything yet. */
  make(directory: string): Promise<void>;
  /**
   * Flushes the entries of directories: what was created, renamed or removed in them, and the directories themselves in
   * those above them, so that all survives a power failure.
   */
  sync(...directories: string[]): Promise<void>;
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
export function createDurableDirectories(
  root: string,
  syncOne: (directory: string) => Promise<void>,
): DurableDirectories {
  const made = new Map<string, Promise<void>>([[root, Promise.resolve()]]);
  const durable = new Set<string>([root]);
  const syncEntries = createSharedSyncs(syncOne);
  let generation = 0;

  /** Whoever needs it at the same time waits for the same call. */
  function make(directory: string): Promise<void> {
    const known = made.get(directory);
    if (known) return known;
    if (made.size > remembered) forget();
    const making = makeOne(directory);
    made.set(directory, making);
    making.catch(() => made.get(directory) === making && made.delete(directory));
    return making;
  }

  async function makeOne(directory: string): Promise<void> {
    await make(dirname(directory));
    try {
      await mkdir(directory);
    } catch (error) {
      if (!isExisting(error)) throw error;
    }
  }

  async function sync(...directories: string[]): Promise<void> {
    const begun = generation;
    const fresh = directories.flatMap(freshOnes);
    await Promise.all([...new Set([...directories, ...fresh.map(dirname)])].map(syncEntries));
    // What was forgotten meanwhile may be another directory of the same name by now.
    if (begun === generation) for (const directory of fresh) durable.add(directory);
  }

  /** `directory` and those above it that may not be durable yet. */
  function freshOnes(directory: string): string[] {
    const fresh: string[] = [];
    for (let at = directory; !durable.has(at); at = dirname(at)) fresh.push(at);
    return fresh;
  }

  function forget(): void {
    generation++;
    made.clear();
    made.set(root, Promise.resolve());
    durable.clear();
    durable.add(root);
  }

  return { make, sync, syncEntries, forget };
}

/**
 * A sync that is asked for while one of the same directory runs may come too late for that one, so it waits for the next,
 * together with all who ask meanwhile: as databases group commits.
 */
function createSharedSyncs(syncOne: (directory: string) => Promise<void>): (directory: string) => Promise<void> {
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
