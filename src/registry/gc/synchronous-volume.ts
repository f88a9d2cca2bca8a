import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Volume } from './volume.ts';

const absences = new Set(['ENOENT', 'ENOTDIR']);
/** What rmdir(2) says of a directory that is in use; POSIX allows either. */
const occupied = new Set(['ENOTEMPTY', 'EEXIST', 'EBUSY']);

/** A folder, read and changed by system calls that block: for a thread of its own, or a program that does nothing else. */
export function synchronousVolume(root: string): Volume {
  const at = (path: string) => root + path;
  return {
    list: (path) => absent(() => readdirSync(at(path))),
    read: (path) => absent(() => readFileSync(at(path))),
    stat(path) {
      const stats = statSync(at(path), { throwIfNoEntry: false });
      return stats && { size: stats.size, modifiedMs: stats.mtimeMs };
    },
    unlink: (path) => done(() => unlinkSync(at(path)), absences),
    move(from, to) {
      if (!lstatSync(at(from), { throwIfNoEntry: false })) return false;
      mkdirSync(dirname(at(to)), { recursive: true });
      return done(() => renameSync(at(from), at(to)), absences);
    },
    removeTree: (path) => done(() => rmSync(at(path), { recursive: true }), absences),
    removeEmpty: (path) => done(() => rmdirSync(at(path)), new Set([...absences, ...occupied])),
  };
}

function absent<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (absences.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Whether `action` went through; `false` for the errors that are no failure. */
function done(action: () => void, harmless: ReadonlySet<string>): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (harmless.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
