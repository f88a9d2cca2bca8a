import { setTimeout as delay } from 'node:timers/promises';
import { lastScrub } from '#registry/storage/layout.ts';
import { scrub, type ScrubOptions, type ScrubReport } from './scrubber.ts';

export interface ScheduleOptions extends ScrubOptions {
  /** Milliseconds from the end of a scrub to the begin of the next, over restarts. */
  intervalMs: number;
  onFinished?: (report: ScrubReport) => void;
  onFailure?: () => void;
}

/** Milliseconds; Node runs a longer timer at once. */
const longestTimer = 2 ** 31 - 1;

/**
 * Scrubs now and then until `signal` aborts. When the last scrub ended is on the volume, since a registry that is restarted more often than
 * the interval would never begin one; one that was interrupted begins anew.
 */
export async function scrubPeriodically(options: ScheduleOptions, signal: AbortSignal): Promise<void> {
  const { intervalMs } = options;
  let dueMs = (await readLast(options)) + intervalMs;
  while (!signal.aborted) {
    const wait = Math.min(dueMs - Date.now(), longestTimer);
    if (wait > 0) await delay(wait, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (Date.now() < dueMs) continue;
    await attempt(options, signal);
    dueMs = Date.now() + intervalMs;
  }
}

async function attempt(options: ScheduleOptions, signal: AbortSignal): Promise<void> {
  const { logger } = options;
  try {
    const report = await scrub(options, signal);
    options.onFinished?.(report);
    logger.info(report, 'all blobs have been verified');
    await writeLast(options, report);
  } catch (error) {
    if (signal.aborted) return;
    options.onFailure?.();
    logger.error({ err: error }, 'verifying the blobs failed');
  }
}

async function writeLast({ driver, logger }: ScheduleOptions, report: ScrubReport): Promise<void> {
  try {
    await driver.putContent(lastScrub, Buffer.from(JSON.stringify({ ended: new Date(), ...report })));
  } catch (error) {
    logger.warn({ err: error }, 'that the blobs were verified can not be written down: a restart verifies them again');
  }
}

/** Milliseconds since 1970; long ago when there was none, or when its time is in the future. */
async function readLast({ driver, logger }: ScheduleOptions): Promise<number> {
  try {
    const content = await driver.getContent(lastScrub);
    const { ended } = JSON.parse(content?.bytes.toString() ?? '{}') as { ended?: string };
    const time = Date.parse(ended ?? '');
    return time <= Date.now() ? time : 0;
  } catch (error) {
    logger.warn({ err: error }, 'when the blobs were last verified can not be read: they are verified now');
    return 0;
  }
}
