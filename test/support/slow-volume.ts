/** A real disk that is slow: a file system of its own, to which the kernel lets a process write only so fast. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { eventually } from './eventually.ts';
import { canLoop, loopVolume } from './loop-volume.ts';
import type { Scope } from './scope.ts';

/** Source: Linux, admin-guide/cgroup-v1/blkio-controller.rst, "Throttling/Upper limit policy". */
const groups = '/sys/fs/cgroup/blkio';
const limitFile = 'blkio.throttle.write_bps_device';

export const canBeSlow = canLoop && existsSync(join(groups, limitFile));

export interface SlowVolume {
  folder: string;
  /** From now on what the process writes, all of it through to the device, takes its time. */
  slowDown(pid: number, bytesPerSecond: number): Promise<void>;
}

/** ext4 of so many bytes, mounted so that each write waits for the device; it goes away with the test. */
export async function slowVolume(scope: Scope, bytes: number): Promise<SlowVolume> {
  const volume = await loopVolume(scope, bytes, ['sync']);
  const { folder } = volume;
  return {
    folder,
    async slowDown(pid, bytesPerSecond) {
      const group = join(groups, basename(dirname(folder)));
      await mkdir(group);
      // Busy until the processes in it are gone.
      scope.after(() => eventually(() => rmdir(group)));
      await writeFile(join(group, limitFile), `${await numberOf(await volume.device())} ${bytesPerSecond}`);
      await writeFile(join(group, 'cgroup.procs'), String(pid));
    },
  };
}

/** `major:minor` */
async function numberOf(device: string): Promise<string> {
  return (await readFile(`/sys/class/block/${basename(device)}/dev`, 'utf8')).trim();
}
