import { mkdirSync, statSync } from 'node:fs';
import { readdir, rm, rmdir, stat, statfs, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Placement, StorageDriver } from '#registry/storage/driver.ts';
import { diskOperations, type DiskOperations } from './disk-operations.ts';
import { createDurableDirectories, type DurableDirectories } from './durable-directories.ts';
import { absent, fileInfo } from './file-info.ts';
import { openReader, openWriter } from './filesystem-handles.ts';
import { inDirectory } from './in-directory.ts';
import { isLocalVolume } from './local-volume.ts';
import { publish } from './publication.ts';
import { list } from './list.ts';
import { touch } from './touch.ts';
import { explainVolumeError } from './volume-errors.ts';

export interface FilesystemDriverOptions {
  /** Distribution's `storage.filesystem.rootdirectory`; made when it is missing. Relative to the working directory. */
  rootDirectory: string;
  /** Told by the kind of file system when absent. On one that is not local, looks at files may wait without blocking others. */
  isLocal?: boolean;
  /** For tests of the order in which they are called. */
  disk?: DiskOperations;
}

/** Throws at once when the root directory can't be made. Files and directories get 0666 and 0777 less the umask. */
export function createFilesystemDriver(options: FilesystemDriverOptions): StorageDriver {
  const root = resolve(options.rootDirectory);
  mkdirSync(root, { recursive: true });
  const isLocal = options.isLocal ?? isLocalVolume(root);
  const at = (path: string) => root + path;
  const disk = options.disk ?? diskOperations(isLocal);
  const directories = createDurableDirectories(root, disk.sync);
  const explained = async <T>(action: Promise<T>): Promise<T> => {
    try {
      return await action;
    } catch (error) {
      throw explainVolumeError(error, root);
    }
  };
  const place = (stages: Placement[][]) => explained(publish(stages, { root, directories, disk }));
  return {
    name: 'filesystem',
    // Kernels count in ticks of 4 or 10 ms; the clock of a file server may also be somewhat off ours.
    tickMs: isLocal ? 50 : 2000,
    stat: statFunction(root, isLocal),
    getContent: (path) => getContent(at(path)),
    putContent: (path, content) => place([[{ path, content }]]),
    publish: place,
    open: (path) => openReader(at(path)),
    // Not synced: an upload need not outlive a power failure, and what it commits is moved away.
    append: (path) => explained(inDirectory(directories, at(path), () => openWriter(at(path), explained))),
    list: (path) => list(at(path)),
    move: (from, to, { lazily = false } = {}) => explained(move({ directories, disk }, at(from), at(to), lazily)),
    delete: (path, { lazily = false } = {}) => explained(remove(directories, at(path), lazily)),
    removeEmpty: (path) => explained(removeEmpty(at(path))),
    touch: (path) => explained(touch(at(path))),
    space: async () => {
      const { blocks, bavail, bsize } = await statfs(root);
      return { capacity: blocks * bsize, free: bavail * bsize };
    },
  };
}

/**
 * Every request looks at link files, and a look that the kernel answers from its cache takes 2 µs, but 40 µs of processor
 * time by way of the thread pool. So it is made directly on local file systems; a network one may hang and goes the long way.
 */
function statFunction(root: string, isLocal: boolean): StorageDriver['stat'] {
  if (!isLocal) return (path) => absent(stat(root + path).then(fileInfo));
  return async (path) => {
    const stats = statSync(root + path, { throwIfNoEntry: false });
    return stats && fileInfo(stats);
  };
}

async function getContent(file: string): ReturnType<StorageDriver['getContent']> {
  const reader = await openReader(file);
  if (!reader) return undefined;
  try {
    const bytes = Buffer.allocUnsafeSlow(reader.info.size);
    const length = await reader.read(bytes, 0);
    return { bytes: bytes.subarray(0, length), info: reader.info };
  } finally {
    await reader.close();
  }
}

async function move(
  { directories, disk }: { directories: DurableDirectories; disk: DiskOperations },
  from: string,
  to: string,
  lazily: boolean,
): Promise<boolean> {
  const renamed = inDirectory(directories, to, async () => {
    await disk.rename(from, to);
    return true;
  });
  if ((await absent(renamed)) === undefined) return false;
  if (!lazily) await Promise.all([directories.sync(dirname(to)), absent(directories.syncEntries(dirname(from)))]);
  return true;
}

async function remove(directories: DurableDirectories, path: string, lazily: boolean): Promise<boolean> {
  const removed = absent(
    unlink(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => removeDirectory(path, error),
    ),
  );
  if ((await removed) === undefined) return false;
  if (!lazily) await absent(directories.syncEntries(dirname(path)));
  return true;
}

async function removeDirectory(path: string, error: NodeJS.ErrnoException): Promise<true> {
  if (error.code !== 'EISDIR' && error.code !== 'EPERM') throw error;
  if (!(await removeSmall(path))) await rm(path, { recursive: true });
  return true;
}

/** Each commit removes the directory of its upload, with one file in it; rm needs twice as many calls for that. */
async function removeSmall(directory: string): Promise<boolean> {
  const entries = await readdir(directory, { withFileTypes: true });
  if (entries.length > 2 || !entries.every((entry) => entry.isFile())) return false;
  await Promise.all(entries.map(({ name }) => absent(unlink(join(directory, name)))));
  return removeEmpty(directory);
}

/** What rmdir(2) says of a directory that is in use; POSIX allows either. */
const occupied = new Set(['ENOTEMPTY', 'EEXIST', 'EBUSY']);

async function removeEmpty(directory: string): Promise<boolean> {
  try {
    return (await absent(rmdir(directory).then(() => true))) ?? false;
  } catch (error) {
    if (occupied.has((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}
