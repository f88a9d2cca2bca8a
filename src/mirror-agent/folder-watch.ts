import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '#shared/logger.ts';

/**
 * Tells at once of changes in certs.d and in our directories there. Only a help: where the system has no watches left, or a file
 * system has none, the agent still looks at each sync period.
 */
export interface FolderWatch {
  /** Watches the root and these directories in it, and no others. */
  watchDirectories(names: Iterable<string>): void;
  close(): void;
}

export function createFolderWatch(root: string, onChange: () => void, log: Logger): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  let complained = false;

  const drop = (name: string): void => {
    watchers.get(name)?.close();
    watchers.delete(name);
  };

  const add = (name: string): void => {
    try {
      const watcher = watch(join(root, name), { persistent: false }, (event, file) => {
        // A directory that is renamed or removed takes its watch along: the next round makes a new one.
        if (event === 'rename' && (name === '' || file === name)) drop(file ?? name);
        onChange();
      });
      watcher.on('error', () => drop(name));
      watchers.set(name, watcher);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' || complained) return;
      complained = true;
      log.warn({ err: error, root }, 'changes on this node are found at each sync period only');
    }
  };

  return {
    watchDirectories(names) {
      const wanted = new Set(['', ...names]);
      for (const name of watchers.keys()) if (!wanted.has(name)) drop(name);
      for (const name of wanted) if (!watchers.has(name)) add(name);
    },
    close() {
      for (const name of watchers.keys()) drop(name);
    },
  };
}
