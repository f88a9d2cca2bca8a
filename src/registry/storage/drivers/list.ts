import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DirectoryEntry } from '#registry/storage/driver.ts';
import { absent } from './file-info.ts';

/** `undefined` when there is no such directory. */
export async function list(directory: string): Promise<DirectoryEntry[] | undefined> {
  const entries = await absent(readdir(directory, { withFileTypes: true }));
  if (!entries) return undefined;
  const linked = await linkedDirectories(directory, entries);
  return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() || linked.has(entry.name) }));
}

/**
 * Symbolic links to directories are directories, as in distribution: that is how people move a large repository to another
 * disk. One that leads nowhere, or in circles, is none.
 */
async function linkedDirectories(directory: string, entries: Dirent[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const { name } of entries.filter((entry) => entry.isSymbolicLink())) {
    const target = await stat(join(directory, name)).catch(() => undefined);
    if (target?.isDirectory()) found.add(name);
  }
  return found;
}
