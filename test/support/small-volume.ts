import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { temporaryFolder } from './temporary.ts';

const run = promisify(execFile);

type Scope = Parameters<typeof temporaryFolder>[0];

/** CAP_SYS_ADMIN, which root of an ordinary container lacks. Source: capabilities(7). */
const mountCapability = 21n;

/** Where mounting is not allowed, a test that needs a volume is not there; faults.test.ts fails the same steps by other means. */
export const canMount = process.platform === 'linux' && hasCapability(mountCapability);

function hasCapability(bit: bigint): boolean {
  const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}

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
