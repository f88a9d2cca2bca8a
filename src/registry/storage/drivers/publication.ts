import { randomUUID } from 'node:crypto';
import { rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Placement } from '#registry/storage/driver.ts';
import { temporaryName } from '#registry/storage/layout.ts';
import type { DiskOperations } from './disk-operations.ts';
import type { DurableDirectories } from './durable-directories.ts';
import { inDirectory } from './in-directory.ts';

interface Renaming {
  from: string;
  to: string;
}

/**
 * Every wait for the disk is shared by as many files as safety allows, since a journal commits what is synced side by side
 * at once: one wait for the content of all files, and one for the directories of each stage.
 */
export async function publish(
  stages: Placement[][],
  { root, directories, disk }: { root: string; directories: DurableDirectories; disk: DiskOperations },
): Promise<void> {
  const temporaries: string[] = [];

  async function prepare(placement: Placement): Promise<Renaming> {
    const to = root + placement.path;
    if ('from' in placement) {
      const from = root + placement.from;
      await all([disk.sync(from), inDirectory(directories, to, async () => {})]);
      return { from, to };
    }
    const from = temporaryName(to, randomUUID());
    temporaries.push(from);
    await inDirectory(directories, to, () => disk.write(from, placement.content));
    return { from, to };
  }

  async function place(stage: Renaming[]): Promise<void> {
    await all(stage.map(({ from, to }) => inDirectory(directories, to, () => disk.rename(from, to))));
    await directories.sync(...stage.map(({ to }) => dirname(to)));
  }

  try {
    const prepared = await all(stages.map((stage) => all(stage.map(prepare))));
    for (const stage of prepared) await place(stage);
  } catch (error) {
    await Promise.allSettled(temporaries.map((file) => removeWithDirectories(file, root)));
    directories.forget();
    throw error;
  }
}

/** With those above it that are empty then: to distribution a tag is there when its directory is. */
async function removeWithDirectories(file: string, root: string): Promise<void> {
  await rm(file, { force: true });
  for (let at = dirname(file); at !== root; at = dirname(at)) await rmdir(at);
}

/** Waits for all of them also when one fails: nothing may still be written when what is left is removed. */
async function all<T>(actions: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(actions);
  return Promise.all(actions);
}
