import type { Stats } from 'node:fs';
import type { FileInfo } from '#registry/storage/driver.ts';

export function fileInfo(stats: Stats): FileInfo {
  return { isDirectory: stats.isDirectory(), size: stats.size, modifiedMs: stats.mtimeMs, identity: stats.ino };
}

export function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

export function isExisting(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST';
}

/** `undefined` instead of the errors that say that nothing is there. */
export async function absent<T>(action: Promise<T>): Promise<T | undefined> {
  try {
    return await action;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
