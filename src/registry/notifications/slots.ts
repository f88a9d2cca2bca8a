/**
 * The places for an endpoint's queues on disk: each process that shares the volume writes to one of its own, and what a process
 * that has ended left in its place is delivered by those that live.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './durable-folder.ts';
import { takeLease, type Lease, type LeaseOptions } from './lease.ts';
import { segmentId } from './segment.ts';

export interface Slot extends Lease {
  folder: string;
}

export interface Slots {
  /** The first that is free, made when there is none. */
  take(): Promise<Slot>;
  /** The next one that has events and no owner, if there is any. */
  takeAbandoned(): Promise<Slot | undefined>;
}

/** `folder` is made when it is needed. */
export function createSlots(folder: string, options?: LeaseOptions): Slots {
  /** Ours: a lease says nothing about those, since it counts a process with our pid as ended. */
  const held = new Set<string>();

  async function takePlace(place: string): Promise<Slot | undefined> {
    if (held.has(place)) return undefined;
    held.add(place);
    const lease = await takeLease(place, options).catch((error: unknown) => {
      held.delete(place);
      throw error;
    });
    if (!lease) held.delete(place);
    return lease && { ...lease, folder: place, release: () => lease.release().finally(() => held.delete(place)) };
  }

  async function take(): Promise<Slot> {
    for (let number = 0; ; number++) {
      const place = join(folder, String(number));
      await makeFolder(place);
      const slot = await takePlace(place);
      if (slot) return slot;
    }
  }

  async function takeAbandoned(): Promise<Slot | undefined> {
    for (const name of await readdir(folder)) {
      const place = join(folder, name);
      if (!/^\d+$/.test(name) || held.has(place) || !(await hasEvents(place))) continue;
      const slot = await takePlace(place);
      if (slot) return slot;
    }
    return undefined;
  }

  return { take, takeAbandoned };
}

async function hasEvents(folder: string): Promise<boolean> {
  return (await readdir(folder)).some((name) => segmentId(name) !== undefined);
}
