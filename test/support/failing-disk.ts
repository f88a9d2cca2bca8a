/**
 * A real disk of which a part fails: the kernel answers EIO for each read from and each write to the blocks behind a limit, until
 * they are there again with what they held. Below that limit is what ext4 keeps of itself, so that it outlives the failure.
 */
import { execFile } from 'node:child_process';
import { open, truncate } from 'node:fs/promises';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { filesBelow } from './files-below.ts';
import { loopVolume } from './loop-volume.ts';
import type { Scope } from './scope.ts';

const run = promisify(execFile);

const mebibyte = 2 ** 20;
/** One group of blocks, whose tables and journal come first: 24 MiB that must not fail. */
const diskBytes = 128 * mebibyte;

export interface FailingDisk {
  folder: string;
  /** All that lies at `limit` or behind, in bytes; also what the kernel remembers of files, which is read again. */
  fail(limit: number): Promise<void>;
  heal(): Promise<void>;
  /** As after a crash of the machine: all is read from the disk. Nothing may be open there. */
  remount(): Promise<void>;
}

export async function failingDisk(scope: Scope): Promise<FailingDisk> {
  const volume = await loopVolume(scope, diskBytes);
  const { folder, image } = volume;
  let lost: { from: number; bytes: Buffer } | undefined;

  async function fail(limit: number): Promise<void> {
    // What failed the last time is told once more.
    await eventually(() => run('sync', ['--file-system', folder]));
    lost = { from: limit, bytes: await tail(image, limit) };
    const files = await filesBelow(folder);
    await truncate(image, limit);
    await run('losetup', ['--set-capacity', await volume.device()]);
    for (const file of files) await forget(file);
  }

  async function heal(): Promise<void> {
    if (!lost) return;
    const file = await open(image, 'r+');
    try {
      await file.write(lost.bytes, 0, lost.bytes.length, lost.from);
    } finally {
      await file.close();
    }
    lost = undefined;
    await run('losetup', ['--set-capacity', await volume.device()]);
  }

  return { folder, fail, heal, remount: () => volume.remount() };
}

async function tail(image: string, from: number): Promise<Buffer> {
  const bytes = Buffer.alloc(diskBytes - from);
  const file = await open(image);
  try {
    await file.read(bytes, 0, bytes.length, from);
    return bytes;
  } finally {
    await file.close();
  }
}

/** Lets the kernel drop what it remembers of a file's content; a file that can't be opened any more has failed already. */
async function forget(file: string): Promise<void> {
  await run('dd', [`if=${file}`, 'of=/dev/null', 'iflag=nocache', 'count=0']).catch(() => undefined);
}
