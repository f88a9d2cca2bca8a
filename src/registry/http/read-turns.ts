/**
 * A few downloads read at once, and the others wait for their turn. What has been read lies in the processor's cache until it is
 * sent; when all of sixteen downloads read ahead of the one thread that sends, it lies in memory by then. A read
 * that has to wait for a disk keeps its turn for a few milliseconds only, so that it holds up nobody.
 */
import { systemClock, type Clock } from '#shared/clock.ts';

export interface ReadTurns {
  /** Calls `read` when its turn has come, in the order of asking; settles as it does. */
  take<T>(read: () => Promise<T>): Promise<T>;
}

export interface ReadTurnsOptions {
  /** How many quick reads are under way at most. */
  atOnce: number;
  /** Milliseconds after which a read is not counted any more. */
  quickMs: number;
}

/** Copying from the page cache is four times as fast as sending: more than a few readers only get ahead of the sender. */
const downloadTurns: ReadTurnsOptions = { atOnce: 4, quickMs: 5 };

export function createReadTurns({ atOnce, quickMs } = downloadTurns, clock: Clock = systemClock): ReadTurns {
  const waiting: (() => void)[] = [];
  let running = 0;

  /** A turn that is over goes on to the one that waits longest. */
  function pass(): void {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }

  return {
    async take(read) {
      if (running < atOnce) running++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isMine = true;
      const end = () => {
        if (isMine) pass();
        isMine = false;
      };
      const cancel = clock.after(quickMs, end);
      try {
        return await read();
      } finally {
        cancel();
        end();
      }
    },
  };
}
