import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#shared/logger.ts';
import type { Collector } from './collector.ts';

export interface ScheduleOptions {
  collector: Collector;
  /** Milliseconds between the end of a run and the begin of the next. */
  intervalMs: number;
  /**
   * Milliseconds. The first run is no earlier than this after the start: what the process before this one told its
   * clients is not known any more, but holds until then.
   */
  minimumAgeMs: number;
  logger: Logger;
  /** Told of a run that failed. */
  onFailure?: () => void;
}

/** Milliseconds; Node runs a longer timer at once. */
const longestTimer = 2 ** 31 - 1;

/** Collects now and then until `signal` aborts; a run that fails is logged, and the next one comes in its time. */
export async function collectPeriodically(options: ScheduleOptions, signal: AbortSignal): Promise<void> {
  let wait = Math.max(options.intervalMs, options.minimumAgeMs);
  for (;;) {
    await delay(Math.min(wait, longestTimer), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      await options.collector.collect(signal);
    } catch (error) {
      if (signal.aborted) return;
      options.onFailure?.();
      options.logger.error({ err: error }, 'garbage collection failed');
    }
    wait = options.intervalMs;
  }
}
