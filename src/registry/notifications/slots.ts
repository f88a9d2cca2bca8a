/**
 * The places for an endpoint's queues on disk: each process that shares the volume writes to one of its own, and what a process
 * that has ended left in its place is delivered by those that live.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { takeLease, type Lease, type LeaseOptions } from './lease.ts';
import { segmentId } from './segment.ts';

export interface Slot {
  folder: string;
  lease: Lease;
}

/** The first that is free; `folder` is made when it is missing. */
export async function takeSlot(folder: string, options?: LeaseOptions): Promise<Slot> {
  for (let number = 0; ; number++) {
    const place = join(folder, String(number));
    await mkdir(place, { recursive: true, mode: 0o700 });
    const lease = await takeLease(place, options);
    if (lease) return { folder: place, lease };
  }
}

/** The next one besides `own` that has events and no owner, if there is any. */
export async function takeAbandoned(folder: string, own: string, options?: LeaseOptions): Promise<Slot | undefined> {
  for (const name of await readdir(folder)) {
    const place = join(folder, name);
    if (place === own || !/^\d+$/.test(name) || !(await hasEvents(place))) continue;
    const lease = await takeLease(place, options);
    if (lease) return { folder: place, lease };
  }
  return undefined;
}

async function hasEvents(folder: string): Promise<boolean> {
  return (await readdir(folder)).some((name) => segmentId(name) !== undefined);
}
