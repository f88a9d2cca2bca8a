import type { StorageDriver } from '#registry/storage/driver.ts';
import { quarantinedAt, quarantineRoot } from '#registry/storage/layout.ts';
import type { Logger } from '#shared/logger.ts';

export interface QuarantineOptions {
  driver: StorageDriver;
  logger: Logger;
  /** Milliseconds that what was set aside is kept; 0: until somebody deletes it. */
  ageMs: number;
  now?: () => number;
}

/** Deletes what was set aside long ago, and gives the number of files. Files with names that are not ours stay. */
export async function emptyQuarantine({ driver, logger, ageMs, now = Date.now }: QuarantineOptions): Promise<number> {
  if (ageMs <= 0) return 0;
  let deleted = 0;
  for (const { name: algorithm } of (await driver.list(quarantineRoot)) ?? []) {
    for (const { name } of (await driver.list(`${quarantineRoot}/${algorithm}`)) ?? []) {
      const since = quarantinedAt(name);
      if (since === undefined || now() - since < ageMs) continue;
      const path = `${quarantineRoot}/${algorithm}/${name}`;
      if (!(await driver.delete(path, { lazily: true }))) continue;
      deleted++;
      logger.info({ path, since: new Date(since) }, 'a corrupt blob was set aside long ago and has been deleted');
    }
  }
  return deleted;
}
