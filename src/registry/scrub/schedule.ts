import { setTimeout as delay } from 'node:timers/promises';
import { emptyQuarantine } from './quarantine.ts';
import { readState, writeEnded, writeReached } from './scrub-state.ts';
import { scrub, type ScrubOptions, type ScrubReport } from './scrubber.ts';
import type { DigestWalk } from './stored-digests.ts';

export interface ScheduleOptions extends ScrubOptions {
  /** Milliseconds from the end of a scrub to the begin of the next, over restarts. */
  intervalMs: number;
  /** Milliseconds that what was set aside is kept; 0: until somebody deletes it. */
  quarantineAgeMs: number;
  /** Milliseconds after which it is written down how far a scrub has come. Default 10 s. */
  noteMs?: number;
  onFinished?: (report: ScrubReport) => void;
  onFailure?: () => void;
}

/** Milliseconds; Node runs a longer timer at once. */
const longestTimer = 2 ** 31 - 1;

/**
 * Scrubs now and then until `signal` aborts. When the last scrub ended is on the volume, since a registry that is restarted more often than
 * the interval would never begin one; so is how far one has come, and the next start goes on from there.
 */
export async function scrubPeriodically(options: ScheduleOptions, signal: AbortSignal): Promise<void> {
  const { intervalMs } = options;
  const { endedMs, reached } = await readState(options);
  let dueMs = reached === undefined ? endedMs + intervalMs : 0;
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
  const { driver, logger, quarantineAgeMs, dryRun } = options;
  try {
    const report = await scrub({ ...options, walk: await goOn(options) }, signal);
    options.onFinished?.(report);
    logger.info(report, 'all blobs have been verified');
    await writeEnded(options, report);
    if (!dryRun) await emptyQuarantine({ driver, logger, ageMs: quarantineAgeMs });
  } catch (error) {
    if (signal.aborted) return;
    options.onFailure?.();
    logger.error({ err: error }, 'verifying the blobs failed');
  }
}

async function goOn(options: ScheduleOptions): Promise<DigestWalk> {
  const { noteMs = 10_000 } = options;
  const state = await readState(options);
  let noted = performance.now();
  return {
    from: state.reached,
    async reached(shelf) {
      if (performance.now() - noted < noteMs) return;
      await writeReached(options, state, shelf);
      noted = performance.now();
    },
  };
}
