import { type Clock, systemClock } from '#shared/clock.ts';

/** Runs the same work again and again, one at a time: after the wait that the last one asked for, or when woken. */
export interface Loop {
  /** Again in `ms` milliseconds at the latest; 0 is at once. Wakes that come while it works are not lost. */
  wake(ms: number): void;
  /** Resolves when `signal` aborts and the work at hand is done. */
  run(signal: AbortSignal): Promise<void>;
  /** Milliseconds since the work was last done, or since the start. */
  readonly silentMs: number;
}

/** `work` resolves to the milliseconds until the next time. It must not reject. */
export function createLoop(work: (signal: AbortSignal) => Promise<number>, clock: Clock = systemClock): Loop {
  let due = clock.now();
  let last = clock.now();
  let look = (): void => undefined;
  const sleepUntilDue = (): Promise<void> =>
    new Promise((resolve) => {
      const cancel = clock.after(due - clock.now(), resolve);
      look = () => {
        cancel();
        resolve();
      };
    });
  return {
    get silentMs() {
      return clock.now() - last;
    },
    wake(ms) {
      due = Math.min(due, clock.now() + ms);
      look();
    },
    async run(signal) {
      signal.addEventListener('abort', () => look(), { once: true });
      while (!signal.aborted) {
        if (due > clock.now()) {
          await sleepUntilDue();
          continue;
        }
        due = Number.POSITIVE_INFINITY;
        const nextMs = await work(signal);
        last = clock.now();
        due = Math.min(due, last + nextMs);
      }
    },
  };
}
