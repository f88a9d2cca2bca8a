import { setTimeout as delay } from 'node:timers/promises';

/** Waits until it may have taken so long to read these bytes; rejects with the reason of the signal. */
export type Pace = (bytes: number, signal: AbortSignal) => Promise<void>;

/** Milliseconds that may be saved up before a wait: timers don't count finer than one. */
const slackMs = 5;

/** `bytesPerSecond` 0: no limit. A pause that was longer than it had to be earns nothing. */
export function createPace(bytesPerSecond: number): Pace {
  let due = performance.now();
  return async (bytes, signal) => {
    signal.throwIfAborted();
    if (bytesPerSecond <= 0) return;
    const now = performance.now();
    due = Math.max(due, now) + (bytes / bytesPerSecond) * 1000;
    if (due - now > slackMs) await wait(due - now, signal);
  };
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}
