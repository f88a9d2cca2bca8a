/** A real file system of its own: ext4 in a file, on a loop device. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import type { Scope } from './scope.ts';
import { canMount } from './small-volume.ts';
import { temporaryFolder } from './temporary.ts';

const run = promisify(execFile);

export const canLoop = canMount && existsSync('/dev/loop-control');

export interface LoopVolume {
  folder: string;
  /** The file behind the device. */
  image: string;
  /** `/dev/loop0` */
  device(): Promise<string>;
  /** Gives the volume back empty of everything that the kernel remembered of it. Nothing may be open there. */
  remount(): Promise<void>;
}

/** ext4 of so many bytes, mounted with `options` beside `loop`; it goes away with the test. */
export async function loopVolume(scope: Scope, bytes: number, options: string[] = []): Promise<LoopVolume> {
  let mounted = false;
  // Hooks run in the order of their making: unmounted, then removed.
  scope.after(() => unmount());
  const home = await temporaryFolder(scope);
  const image = join(home, 'image');
  const folder = join(home, 'volume');
  await mkdir(folder);
  await writeFile(image, '');
  await truncate(image, bytes);
  await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0', image]);

  async function mount(): Promise<void> {
    await run('mount', ['-o', ['loop', ...options].join(','), image, folder]);
    mounted = true;
  }

  async function unmount(): Promise<void> {
    if (!mounted) return;
    // Busy until the processes that had files open are gone.
    await eventually(() => run('umount', [folder]));
    mounted = false;
  }

  await mount();
  return {
    folder,
    image,
    device: async () => (await run('findmnt', ['--noheadings', '--output', 'SOURCE', folder])).stdout.trim(),
    async remount() {
      await unmount();
      await mount();
    },
  };
}
