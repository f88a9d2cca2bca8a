import { setTimeout as delay } from 'node:timers/promises';
import { openDiskQueue, type DiskQueueOptions } from './disk-queue.ts';
import type { Endpoint } from './endpoint.ts';
import { removeSegments } from './segment.ts';
import type { Slot } from './slots.ts';

export interface Inheritance {
  endpoint: Endpoint;
  /** A place that a process which has ended left events in, if there is any. */
  next(): Promise<Slot | undefined>;
  limits: Omit<DiskQueueOptions, 'folder'>;
  everyMs: number;
}

/** Looks now and after each interval until `signal` aborts; what goes wrong is logged, and tried again. */
export async function inherit(inheritance: Inheritance, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for (let slot = await inheritance.next(); slot; slot = signal.aborted ? undefined : await inheritance.next()) {
        await empty(slot, inheritance, signal);
      }
    } catch (error) {
      inheritance.limits.logger.error(
        { err: error },
        'notifications of a process that has ended could not be taken over',
      );
    }
    await delay(inheritance.everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function empty(slot: Slot, { endpoint, limits }: Inheritance, signal: AbortSignal): Promise<void> {
  const { folder, lease } = slot;
  try {
    const queue = await openDiskQueue({ ...limits, folder });
    const events = queue.pending;
    if (events > 0)
      limits.logger.info({ endpoint: endpoint.name, events }, 'notifications of a process that has ended');
    await endpoint.drain(queue, signal);
    await queue.close();
    if (queue.pending === 0) await removeSegments(folder);
  } finally {
    await lease.release();
  }
}
