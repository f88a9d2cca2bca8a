import type { Logger } from '#shared/logger.ts';
import { createBlobStore } from './blob-store.ts';
import { createByteCache, type ByteCache } from './byte-cache.ts';
import { createContentCache, type CachedContent } from './content-cache.ts';
import { countedCache, type ObserveCache } from './counted-cache.ts';
import type { StorageDriver } from './driver.ts';
import { createKeyedMutex } from './keyed-mutex.ts';
import { createLinkReader, type RememberedLink } from './link-reader.ts';
import { createManifestStore } from './manifest-store.ts';
import { setBlobAside } from './set-aside.ts';
import { createStatedSizes } from './stated-sizes.ts';
import { sharedLooks } from './shared-looks.ts';
import type { StoreContext } from './store-context.ts';
import type { RegistryStore, RepositoryStore, StoreObserver } from './store.ts';
import { createTagStore } from './tag-store.ts';
import { createUploadMemory } from './uploads/upload-memory.ts';
import { createUploadSessions } from './uploads/upload-sessions.ts';
import { createUploadStore } from './uploads/upload-store.ts';
import { createWriterThreads } from './uploads/writer-threads.ts';

export interface RegistryStoreOptions {
  driver: StorageDriver;
  /** Told of every change, in this order; they must not throw. */
  observers?: StoreObserver[];
  /** Memory for manifests and small blobs; links take up to an eighth of it on top. Default 64 MiB. */
  cacheBytes?: number;
  /** Told of each look into the memory for manifests, small blobs and links. */
  observeCache?: ObserveCache | undefined;
  logger: Logger;
}

export const defaultCacheBytes = 64 * 1024 * 1024;

export function createRegistryStore(options: RegistryStoreOptions): RegistryStore {
  const { driver } = options;
  const running = new Set<Promise<unknown>>();
  const context = createContext(options, running);
  return {
    repository: (name) => createRepositoryStore(context, name),
    async check() {
      if (!(await driver.stat('/'))) throw new Error(`the root directory of the ${driver.name} storage is missing`);
    },
    space: () => driver.space(),
    setAside: (digest, options) => context.track(setBlobAside(context, digest, options)),
    async close() {
      while (running.size > 0) await Promise.allSettled(running);
      await context.writerThreads.close();
    },
  };
}

function createContext(options: RegistryStoreOptions, running: Set<Promise<unknown>>): StoreContext {
  const { logger, observers = [], cacheBytes = defaultCacheBytes, observeCache } = options;
  const driver = sharedLooks(options.driver);
  const counted = <V>(cache: ByteCache<V>) => (observeCache ? countedCache(cache, observeCache) : cache);
  const sizes = createStatedSizes(driver, logger);
  const told = [sizes, ...observers];
  return {
    driver,
    logger,
    sizes,
    links: createLinkReader(driver, counted(createByteCache<RememberedLink>(cacheBytes / 8)), logger),
    contents: createContentCache(driver, counted(createByteCache<CachedContent>(cacheBytes)), sizes, logger),
    locks: createKeyedMutex(),
    sessions: createUploadSessions(),
    uploadMemory: createUploadMemory(),
    writerThreads: createWriterThreads(),
    notify(tell) {
      for (const observer of told) {
        try {
          tell(observer);
        } catch (error) {
          logger.error({ err: error }, 'an observer of the storage failed');
        }
      }
    },
    track(change) {
      const tracked = change.finally(() => running.delete(tracked));
      running.add(tracked);
      return tracked;
    },
  };
}

/** Each store is made when it is asked for: a request needs one or two, and they cost less than a table of all names. */
function createRepositoryStore(context: StoreContext, name: string): RepositoryStore {
  return {
    name,
    get blobs() {
      return createBlobStore(context, name);
    },
    get uploads() {
      return createUploadStore(context, name);
    },
    get manifests() {
      return createManifestStore(context, name, createTagStore(context, name));
    },
    get tags() {
      return createTagStore(context, name);
    },
  };
}
