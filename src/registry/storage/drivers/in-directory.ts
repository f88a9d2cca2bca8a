import { dirname } from 'node:path';
import type { DurableDirectories } from './durable-directories.ts';
import { isAbsence } from './file-info.ts';

/** Makes the directory of `file` first, and again when it, or one above it, was remembered and has been removed since. */
export async function inDirectory<T>(
  directories: DurableDirectories,
  file: string,
  action: () => Promise<T>,
): Promise<T> {
  const attempt = async () => {
    await directories.make(dirname(file));
    return action();
  };
  try {
    return await attempt();
  } catch (error) {
    if (!isAbsence(error)) throw error;
    directories.forget();
    return attempt();
  }
}
