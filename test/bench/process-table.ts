/** What Linux knows of a process. Source: proc(5). */
import { readFile, writeFile } from 'node:fs/promises';

const ticksPerSecond = 100;

async function statFields(pid: number | 'self'): Promise<number[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

/** Seconds of user and system time. */
export async function cpuSeconds(pid: number): Promise<number> {
  const fields = await statFields(pid);
  return ((fields[11] ?? 0) + (fields[12] ?? 0)) / ticksPerSecond;
}

/** Seconds of user and system time of our own children that have ended. */
export async function cpuSecondsOfChildren(): Promise<number> {
  const fields = await statFields('self');
  return ((fields[13] ?? 0) + (fields[14] ?? 0)) / ticksPerSecond;
}

/** MiB. `VmRSS` is now, `VmHWM` the most since the process began or since resetPeak. */
export async function memory(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
}

export async function resetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}
