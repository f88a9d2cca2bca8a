/** Folders whose names survive a loss of power. */
import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** With its parents, as far as they are missing; nobody but this user may look into what is made. */
export async function makeFolder(folder: string): Promise<void> {
  const path = resolve(folder);
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let at = path; at !== dirname(first); at = dirname(at)) await syncFolder(dirname(at));
}

/** Resolves when the names that are in it now are on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
