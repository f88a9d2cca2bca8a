import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of all files in a folder and below it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** What no request leaves behind on a registry's volume, however it ends. */
export async function leftovers(folder: string): Promise<string[]> {
  return (await filesBelow(folder)).filter((file) => file.endsWith('.tmp') || file.includes('/_uploads/'));
}
