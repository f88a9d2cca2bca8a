/** A real disk that is slow: a file system of its own on a loop device, to which the kernel lets a process write only so fast. */
import { execFile } from 'node:child_process';
import { accessSync } from 'node:fs';
import { mkdir, readFile, rmdir, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { canMount } from './small-volume.ts';
import { temporaryFolder } from './temporary.ts';

const run = promisify(execFile);

type Scope = Parameters<typeof temporaryFolder>[0];

/** Source: Linux, admin-guide/cgroup-v1/blkio-controller.rst, "Throttling/Upper limit policy". */
const groups = '/sys/fs/cgroup/blkio';
const limitFile = 'blkio.throttle.write_bps_device';

export const canBeSlow = canMount && exists(join(groups, limitFile)) && exists('/dev/loop-control');

function exists(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

export interface SlowVolume {
  folder: string;
  /** From now on what the process writes, all of it through to the device, takes its time. */
  slowDown(pid: number, bytesPerSecond: number): Promise<void>;
}

/** ext4 of so many bytes, mounted so that each write waits for the device; it goes away with the test. */
export async function slowVolume(scope: Scope, bytes: number): Promise<SlowVolume> {
  const undo: (() => Promise<unknown>)[] = [];
  scope.after(async () => {
    for (const step of undo.toReversed()) await step();
  });
  const folder = await temporaryFolder(scope);
  const image = join(folder, 'image');
  const root = join(folder, 'volume');
  await mkdir(root);
  await writeSparse(image, bytes);
  await run('mkfs.ext4', ['-q', '-F', image]);
  await run('mount', ['-o', 'loop,sync', image, root]);
  undo.push(() => eventually(() => run('umount', [root])));
  return {
    folder: root,
    async slowDown(pid, bytesPerSecond) {
      const group = join(groups, basename(folder));
      await mkdir(group);
      // Busy until the processes in it are gone.
      undo.push(() => eventually(() => rmdir(group)));
      await writeFile(join(group, limitFile), `${await deviceOf(root)} ${bytesPerSecond}`);
      await writeFile(join(group, 'cgroup.procs'), String(pid));
    },
  };
}

async function writeSparse(file: string, bytes: number): Promise<void> {
  await writeFile(file, '');
  await truncate(file, bytes);
}

/** `major:minor` */
async function deviceOf(folder: string): Promise<string> {
  const { stdout } = await run('findmnt', ['--noheadings', '--output', 'SOURCE', folder]);
  return (await readFile(`/sys/class/block/${basename(stdout.trim())}/dev`, 'utf8')).trim();
}
