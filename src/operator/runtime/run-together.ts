import { type Clock, sleep } from '#shared/clock.ts';
import { aborted } from '#shared/lifecycle.ts';

/**
 * Runs all of these until `signal` aborts and each has ended. One that fails ends the others, and its error is ours. What
 * has not ended `drainMs` milliseconds after the abort is given up, with an error.
 */
export async function runTogether(
  clock: Clock,
  runnables: ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
  drainMs: number,
): Promise<void> {
  const all = new AbortController();
  const ended = new AbortController();
  const stop = (): void => all.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const running = runnables.map(async (run) => {
    try {
      await run(all.signal);
    } catch (error) {
      all.abort(error);
      throw error;
    }
  });
  // An end of all is not enough: without runnables, too, a program lasts until it is told to stop.
  const everything = Promise.allSettled([aborted(all.signal), ...running]);
  try {
    await Promise.race([everything, drainLimit(clock, all.signal, drainMs, ended.signal)]);
    await Promise.all(running);
  } finally {
    ended.abort();
    signal.removeEventListener('abort', stop);
  }
}

async function drainLimit(clock: Clock, stopping: AbortSignal, ms: number, ended: AbortSignal): Promise<void> {
  await aborted(stopping);
  await sleep(clock, ms, ended);
  if (!ended.aborted) throw new Error(`what was to stop has not stopped within ${ms / 1000} s`);
}
