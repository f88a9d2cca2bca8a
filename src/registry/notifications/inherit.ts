import { setTimeout as delay } from 'node:timers/promises';
import { openDiskQueue, type DiskQueueOptions } from './disk-queue.ts';
import type { Endpoint } from './endpoint.ts';
import type { Slot, Slots } from './slots.ts';

export interface Inheritance {
  endpoint: Endpoint;
  slots: Slots;
  limits: Omit<DiskQueueOptions, 'folder'>;
  everyMs: number;
}

/** Looks now and after each interval until `signal` aborts; what goes wrong is logged, and tried again. */
export async function inherit(inheritance: Inheritance, signal: AbortSignal): Promise<void> {
  const { slots, limits, everyMs } = inheritance;
  while (!signal.aborted) {
    try {
      for (
        let slot = await slots.takeAbandoned();
        slot;
        slot = signal.aborted ? undefined : await slots.takeAbandoned()
      )
        await empty(slot, inheritance, signal);
    } catch (error) {
      limits.logger.error({ err: error }, 'notifications of a process that has ended could not be taken over');
    }
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function empty(slot: Slot, { endpoint, limits }: Inheritance, signal: AbortSignal): Promise<void> {
  try {
    const queue = await openDiskQueue({ ...limits, folder: slot.folder, isHeld: () => slot.isHeld() });
    const events = queue.pending;
    if (events > 0)
      limits.logger.info({ endpoint: endpoint.name, events }, 'notifications of a process that has ended');
    await endpoint.drain(queue, signal);
    await queue.close();
  } finally {
    await slot.release();
  }
}
