/** Time and chance, passed in so that tests own them. */
export interface Clock {
  /** Milliseconds that only grow; no relation to the time of day. */
  now(): number;
  /** The time of day, for what others read. */
  date(): Date;
  /** Calls back once after `ms` milliseconds; the returned function calls it off. */
  after(ms: number, callback: () => void): () => void;
  /** 0 <= x < 1. */
  random(): number;
}

/** setTimeout fires at once for more than this: 24.8 days. */
const longestTimer = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, Math.min(ms, longestTimer));
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** Resolves after `ms` milliseconds, or at once when `signal` aborts: whoever waits looks at the signal again. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}
