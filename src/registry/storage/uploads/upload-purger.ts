import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#shared/logger.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import {
  isTemporaryName,
  isUploadId,
  parseStartedAt,
  treeRoot,
  uploadDirectory,
  uploadsDirectory,
  uploadStartedAt,
} from '#registry/storage/layout.ts';
import { walkRepositories, type FoundRepository } from '#registry/storage/repository-walk.ts';
import { workThrough } from '#registry/storage/work-through.ts';

export interface UploadPurgerOptions {
  driver: StorageDriver;
  logger: Logger;
  /** Milliseconds since the start of an upload after which it is given up; distribution's `age`, 168 hours. */
  ageMs: number;
  /** Only tells what it would remove; distribution's `dryrun`. */
  dryRun: boolean;
  /** Milliseconds after which a temporary file can only be the leftover of a crash. Default 1 hour, or `ageMs` if less. */
  temporaryAgeMs?: number;
  now?: () => number;
}

export interface PurgeResult {
  uploads: number;
  temporaryFiles: number;
}

export interface UploadPurger {
  purge(signal: AbortSignal): Promise<PurgeResult>;
  /** Purges now and after each interval until `signal` aborts; a purge that fails is logged and tried again in time. */
  run(intervalMs: number, signal: AbortSignal): Promise<void>;
}

const hour = 3_600_000;

/** Directories looked at in the same time: few, it has a day for it. */
const width = 4;

/** Distribution's `storage.maintenance.uploadpurging`, which also removes the temporary files that crashes leave. */
export function createUploadPurger(options: UploadPurgerOptions): UploadPurger {
  const { driver, logger, ageMs, dryRun, temporaryAgeMs = Math.min(hour, options.ageMs), now = Date.now } = options;

  const failed = (directory: string, err: unknown) =>
    logger.error({ err, directory }, 'a directory can not be searched for what was abandoned');

  async function startOf(repository: string, id: string): Promise<number | undefined> {
    const content = await driver.getContent(uploadStartedAt(repository, id));
    const startedAt = content && parseStartedAt(content.bytes.toString('latin1'));
    if (startedAt) return startedAt.getTime();
    return (await driver.stat(uploadDirectory(repository, id)))?.modifiedMs;
  }

  async function purgeUploads(signal: AbortSignal): Promise<number> {
    let purged = 0;
    const visit = async ({ name, hasUploads }: FoundRepository) => {
      if (!hasUploads) return;
      for (const { name: id } of (await driver.list(uploadsDirectory(name))) ?? []) {
        const started = isUploadId(id) ? await startOf(name, id) : undefined;
        if (started === undefined || now() - started < ageMs) continue;
        logger.info({ repository: name, upload: id, started: new Date(started), dryRun }, 'an upload was abandoned');
        if (!dryRun) await driver.delete(uploadDirectory(name, id), { lazily: true });
        purged++;
      }
    };
    await walkRepositories(driver, { signal, visit, failed });
    return purged;
  }

  async function purgeTemporaryFiles(signal: AbortSignal): Promise<number> {
    let purged = 0;
    const look = async (directory: string, add: (directory: string) => void) => {
      for (const entry of (await driver.list(directory)) ?? []) {
        const path = `${directory}/${entry.name}`;
        if (entry.isDirectory) add(path);
        if (entry.isDirectory || !isTemporaryName(entry.name)) continue;
        const info = await driver.stat(path);
        if (!info || now() - info.modifiedMs < temporaryAgeMs) continue;
        logger.info({ path, dryRun }, 'a crash left a temporary file');
        if (!dryRun) await driver.delete(path, { lazily: true });
        purged++;
      }
    };
    const visit: typeof look = (directory, add) => look(directory, add).catch((error) => failed(directory, error));
    await workThrough([treeRoot], { width, signal, visit });
    return purged;
  }

  async function purge(signal: AbortSignal): Promise<PurgeResult> {
    const uploads = await purgeUploads(signal);
    const temporaryFiles = await purgeTemporaryFiles(signal);
    return { uploads, temporaryFiles };
  }

  async function run(intervalMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await purge(signal);
      } catch (error) {
        if (!signal.aborted) logger.error({ err: error }, 'purging uploads failed');
      }
      await delay(intervalMs, undefined, { signal }).catch(() => {});
    }
  }

  return { purge, run };
}
