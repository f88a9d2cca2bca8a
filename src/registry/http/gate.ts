/** So many at a time, a few more waiting, the rest turned away. */
import type { Clock } from '#shared/clock.ts';

export interface GateOptions {
  /** At a time; 1 or more. */
  maxRunning: number;
  /** Waiting for their turn; 0: whoever finds no place is turned away. */
  maxInQueue: number;
  /** Milliseconds of waiting, after which one is turned away; 0: as long as it takes. */
  maxWaitInQueue: number;
}

export interface Gate {
  /**
   * Resolves, in the order of asking, with a function that gives the place back, to be called once; with `undefined`
   * when there is no place, nor one in time. `abandoned` aborts when nobody waits for it any more.
   */
  enter(abandoned: AbortSignal): Promise<(() => void) | undefined>;
}

export function createGate({ maxRunning, maxInQueue, maxWaitInQueue }: GateOptions, clock: Clock): Gate {
  const queue = new Set<() => void>();
  let running = 0;

  /** The place goes on to the one that waits longest. */
  function leave(): void {
    const [next] = queue;
    if (next) next();
    else running--;
  }

  function wait(abandoned: AbortSignal): Promise<(() => void) | undefined> {
    return new Promise((resolve) => {
      const settle = (place: (() => void) | undefined) => {
        queue.delete(admit);
        cancel?.();
        abandoned.removeEventListener('abort', giveUp);
        resolve(place);
      };
      const admit = () => settle(leave);
      const giveUp = () => settle(undefined);
      const cancel = maxWaitInQueue > 0 ? clock.after(maxWaitInQueue, giveUp) : undefined;
      abandoned.addEventListener('abort', giveUp, { once: true });
      queue.add(admit);
    });
  }

  return {
    async enter(abandoned) {
      if (running < maxRunning) {
        running++;
        return leave;
      }
      return queue.size < maxInQueue && !abandoned.aborted ? wait(abandoned) : undefined;
    },
  };
}
