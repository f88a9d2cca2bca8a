import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Milliseconds until the last failure is thrown. */
  timeoutMs?: number;
  intervalMs?: number;
}

/** Runs `assertion` until it stops throwing, and gives what it returned; throws its last error when time is up. */
export async function eventually<T>(assertion: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 30_000);
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(options.intervalMs ?? 50);
    }
  }
}
