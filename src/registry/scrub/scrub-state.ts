import { lastScrub } from '#registry/storage/layout.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import type { Logger } from '#shared/logger.ts';
import type { ScrubReport } from './scrubber.ts';
import type { Shelf } from './stored-digests.ts';

/**
 * What the volume remembers of scrubs, since a registry that is restarted more often than one takes would never reach the
 * end. Outside of distribution's tree, and of no harm when it is lost: the next scrub begins anew.
 */
export interface ScrubState {
  /** When the last scrub ended, in milliseconds since 1970; 0 when there was none, or its time is in the future. */
  endedMs: number;
  /** The shelf in which the scrub was that did not end. */
  reached?: Shelf;
}

interface Files {
  driver: StorageDriver;
  logger: Logger;
}

interface Written {
  ended?: string | undefined;
  reached?: unknown;
}

export async function readState({ driver, logger }: Files): Promise<ScrubState> {
  try {
    const content = await driver.getContent(lastScrub);
    const { ended, reached } = JSON.parse(content?.bytes.toString() ?? '{}') as Written;
    const time = Date.parse(ended ?? '');
    const endedMs = time <= Date.now() ? time : 0;
    return typeof reached === 'string' ? { endedMs, reached } : { endedMs };
  } catch (error) {
    logger.warn({ err: error }, 'when the blobs were last verified can not be read: they are verified now');
    return { endedMs: 0 };
  }
}

export async function writeEnded(files: Files, report: ScrubReport): Promise<void> {
  await write(files, { ended: new Date().toISOString(), ...report });
}

export async function writeReached(files: Files, { endedMs }: ScrubState, reached: Shelf): Promise<void> {
  await write(files, { ...(endedMs > 0 ? { ended: new Date(endedMs).toISOString() } : {}), reached });
}

async function write({ driver, logger }: Files, state: Written): Promise<void> {
  try {
    await driver.putContent(lastScrub, Buffer.from(JSON.stringify(state)));
  } catch (error) {
    logger.warn({ err: error }, 'that blobs were verified can not be written down: a restart verifies them again');
  }
}
