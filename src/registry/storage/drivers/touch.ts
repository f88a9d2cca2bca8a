import { utimes } from 'node:fs/promises';
import { absent } from './file-info.ts';

/** To libuv an infinite time is utimensat's UTIME_NOW. As a number it does not get past Node, as a text it does. */
const now = 'Infinity';

/**
 * `false` when the file is missing. A time of one's own choice may only be set by the owner of a file, the present also by
 * whoever may write to it: on a volume that root has written, and whose group is ours (fsGroup), that is all we may.
 */
export async function touch(file: string): Promise<boolean> {
  const date = new Date();
  const touched = utimes(file, date, date).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM') throw error;
    return utimes(file, now, now);
  });
  return (await absent(touched.then(() => true))) ?? false;
}
