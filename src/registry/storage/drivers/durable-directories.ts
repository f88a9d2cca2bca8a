import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface DurableDirectories {
  /** Makes `directory` and all above it; then the entry of each in its parent survives a power failure. */
  make(directory: string): Promise<void>;
  /** Flushes the entries of a directory: what was created, renamed or removed in it. */
  sync(directory: string): Promise<void>;
  /** Another process removed it, or something above it: believe nothing that was remembered. */
  forget(): void;
}

/** How many directories are remembered as durable; more only cost a sync again. */
const remembered = 10_000;

/**
 * A rename is durable only when the directory has been synced, and the directory only when its parent has: up to the
 * root, once per directory in the life of the process (one found there may stem from a process that died before its
 * sync). Syncs of one directory that are asked for while one runs share the next one, as a database groups commits.
 */
export function createDurableDirectories(root: string): DurableDirectories {
  const durable = new Set<string>([root]);
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();

  async function make(directory: string): Promise<void> {
    if (durable.has(directory)) return;
    const parent = dirname(directory);
    await make(parent);
    await mkdir(directory).catch(ignoreExisting);
    await sync(parent);
    if (durable.size >= remembered) forget();
    durable.add(directory);
  }

  function sync(directory: string): Promise<void> {
    const current = running.get(directory);
    if (!current) return start(directory);
    const next = waiting.get(directory) ?? current.catch(() => {}).then(() => start(directory));
    waiting.set(directory, next);
    return next;
  }

  function start(directory: string): Promise<void> {
    waiting.delete(directory);
    const sync = syncDirectory(directory).finally(() => running.delete(directory));
    running.set(directory, sync);
    return sync;
  }

  function forget(): void {
    durable.clear();
    durable.add(root);
  }

  return { make, sync, forget };
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
