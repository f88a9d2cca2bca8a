import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { temporaryFolder } from './temporary.ts';

const run = promisify(execFile);

type Scope = Parameters<typeof temporaryFolder>[0];

/** Only root may mount; a test that needs a volume is not there for others. */
export const canMount = process.platform === 'linux' && process.getuid?.() === 0;

export interface SmallVolume {
  folder: string;
  remount: (options: string) => Promise<unknown>;
}

/** A volume of `size` (`1m`) that goes away with the test. */
export async function smallVolume(scope: Scope, size: string): Promise<SmallVolume> {
  const unmounts: (() => Promise<unknown>)[] = [];
  // Hooks run in the order of their making, so the folder is removed when nothing is mounted on it any more.
  scope.after(async () => {
    for (const unmount of unmounts) await unmount();
  });
  const folder = await temporaryFolder(scope);
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  unmounts.push(() => run('umount', ['--lazy', folder]));
  return { folder, remount: (options) => run('mount', ['-o', `remount,${options}`, folder]) };
}
