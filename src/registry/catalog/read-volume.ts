import type { StorageDriver } from '#registry/storage/driver.ts';
import { walkRepositories, type FoundRepository } from '#registry/storage/repository-walk.ts';
import type { Logger } from '#shared/logger.ts';
import type { BlobSizes } from './blob-sizes.ts';
import { readBlobs } from './disk-reader.ts';
import type { MemoryIndex } from './memory-index.ts';
import type { RepositoryLoader } from './repository-loader.ts';

interface VolumeReading {
  driver: StorageDriver;
  logger: Logger;
  index: MemoryIndex;
  loader: RepositoryLoader;
  blobs: BlobSizes;
}

/**
 * Every repository, then every blob. A directory that can't be read is logged and keeps nobody from the others; what was
 * known of it stays. Rejects when the directories of all repositories, or of all blobs, can't be read.
 */
export async function readVolume(
  { driver, logger, index, loader, blobs }: VolumeReading,
  signal: AbortSignal,
): Promise<void> {
  const failed = (directory: string, err: unknown) =>
    logger.error({ err, directory }, 'a directory can not be read: what is in it is not in the catalog, or as it was');
  const unseen = new Set(index.names);
  const visit = async ({ name, hasManifests }: FoundRepository) => {
    if (!hasManifests) return;
    unseen.delete(name);
    await loader.load(name);
  };
  await walkRepositories(driver, { signal, visit, failed });
  for (const name of unseen) await loader.load(name).catch((error: unknown) => failed(name, error));
  await readBlobs(driver, { signal, show: (digest, size) => blobs.found(digest, size), failed });
}
