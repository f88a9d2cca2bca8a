import { FolderLost, openDiskQueue, type DiskQueueOptions } from './disk-queue.ts';
import type { EventQueue } from './event-queue.ts';
import type { Slot, Slots } from './slots.ts';

interface Place {
  slot: Slot;
  queue: EventQueue;
  /** Aborted when this process has another one. */
  left: AbortController;
}

/**
 * A queue on disk in a place of this process, which moves to another one when it was taken for dead and its place taken over:
 * suspended for a minute, say. What waited in the old place is delivered by who took it; what was appended in between and may
 * have been missed is appended once more.
 */
export async function openPlacedQueue(slots: Slots, limits: Omit<DiskQueueOptions, 'folder'>): Promise<EventQueue> {
  let here = await open();
  let moving: Promise<void> | undefined;

  async function open(): Promise<Place> {
    const slot = await slots.take();
    const queue = await openDiskQueue({ ...limits, folder: slot.folder, isHeld: () => slot.isHeld() });
    return { slot, queue, left: new AbortController() };
  }

  async function move(from: Place): Promise<void> {
    if (from === here) await (moving ??= moveOn(from).finally(() => (moving = undefined)));
  }

  async function moveOn(from: Place): Promise<void> {
    const { logger } = limits;
    here = await open();
    logger.warn({ from: from.slot.folder, to: here.slot.folder }, 'a queue was taken over by another process');
    from.left.abort();
    await leave(from).catch((err: unknown) => logger.warn({ err }, 'a queue could not be closed'));
  }

  /** Tries again in the new place what fails because the old one is lost. */
  async function somewhere<T>(action: (place: Place) => Promise<T>): Promise<T> {
    for (;;) {
      const place = here;
      try {
        return await action(place);
      } catch (error) {
        if (!(error instanceof FolderLost)) throw error;
        await move(place);
      }
    }
  }

  return {
    append: (line, options) => somewhere(({ queue }) => queue.append(line, options)),
    async next(signal) {
      while (!signal.aborted) {
        const found = await somewhere(({ queue, left }) => queue.next(AbortSignal.any([signal, left.signal])));
        if (found) return found;
      }
      return undefined;
    },
    get pending() {
      return here.queue.pending;
    },
    close: () => leave(here),
  };
}

async function leave({ queue, slot }: Place): Promise<void> {
  try {
    await queue.close();
  } finally {
    await slot.release();
  }
}
