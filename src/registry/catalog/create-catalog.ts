import { RegistryError } from '#registry/oci/errors.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createKeyedMutex } from '#registry/storage/keyed-mutex.ts';
import type { StoreObserver } from '#registry/storage/store.ts';
import type { Logger } from '#shared/logger.ts';
import { BlobSizes } from './blob-sizes.ts';
import type { CatalogUsage } from '#shared/usage.ts';
import type { Catalog } from './catalog.ts';
import { MemoryIndex } from './memory-index.ts';
import type { RepositoryIndex } from './repository-index.ts';
import { readVolume } from './read-volume.ts';
import { createRepositoryLoader, type RepositoryLoader } from './repository-loader.ts';

export interface CatalogOptions {
  driver: StorageDriver;
  logger: Logger;
}

/**
 * Give it to the store as an observer first, then build it. A further build reads everything again, for changes that other
 * processes made. After a first build that failed `repositories` rejects with UNAVAILABLE until the next one begins.
 */
export function createCatalog({ driver, logger }: CatalogOptions): Catalog {
  const index = new MemoryIndex();
  const blobs = new BlobSizes();
  const listeners = new Set<() => void>();
  const changed = () => listeners.forEach((listener) => listener());
  const loader = createRepositoryLoader(driver, index, changed);
  let built = waiting();
  const builds = createKeyedMutex();
  let complete = false;
  let hasFailed = false;

  async function build(signal: AbortSignal): Promise<void> {
    const started = performance.now();
    if (complete) blobs.beginAgain();
    else if (hasFailed) built = waiting();
    hasFailed = false;
    try {
      await readVolume({ driver, logger, index, loader, blobs }, signal);
      blobs.endAgain('complete');
    } catch (error) {
      blobs.endAgain('failed');
      hasFailed = true;
      built.reject(new RegistryError('UNAVAILABLE', { message: 'the repositories could not be read', cause: error }));
      throw error;
    }
    complete = true;
    built.resolve();
    logger.info({ ...usage(), seconds: Math.round(performance.now() - started) / 1000 }, 'the catalog has been read');
    changed();
  }

  const usage = (): CatalogUsage => ({
    complete,
    repositories: index.names.size,
    tags: index.tags,
    manifests: index.manifests,
    blobs: blobs.count,
    bytes: blobs.bytes,
  });

  return {
    ...observer({ index, blobs, loader, changed }),
    build: (signal) => builds.run('one at a time', () => build(signal)),
    async repositories(page) {
      await built.promise;
      return index.names.page(page);
    },
    tags: async (name, page) => (await loader.current(name))?.tags.page(page),
    usage,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Of a build, for those who ask meanwhile; nobody may. */
function waiting(): PromiseWithResolvers<void> {
  const result = Promise.withResolvers<void>();
  result.promise.catch(() => {});
  return result;
}

interface Observed {
  index: MemoryIndex;
  blobs: BlobSizes;
  loader: RepositoryLoader;
  changed: () => void;
}

/** The content of a manifest lies among the blobs, so it counts there too. */
function observer({ index, blobs, loader, changed }: Observed): StoreObserver {
  const update = (name: string, change: (repository: RepositoryIndex) => void) => {
    index.update(name, change);
    changed();
  };
  return {
    blobCommitted(_, blob) {
      blobs.announce(blob.digest, blob.size);
      changed();
    },
    blobRemoved(digest) {
      blobs.lost(digest);
      changed();
    },
    manifestPut(name, { digest, bytes }) {
      blobs.announce(digest, bytes.byteLength);
      update(name, (repository) => repository.putManifest(digest));
    },
    manifestDeleted: (name, digest) => update(name, (repository) => repository.deleteManifest(digest)),
    tagSet: (name, tag) => update(name, (repository) => repository.setTag(tag)),
    tagDeleted: (name, tag) => update(name, (repository) => repository.deleteTag(tag)),
    // Whoever asks for it next tries again.
    tagMissed: (name, tag) => void loader.doubt(name, tag).catch(() => {}),
    repositoryRemoved(name) {
      loader.drop(name);
      changed();
    },
  };
}
