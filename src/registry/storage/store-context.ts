import type { Digest } from '#registry/oci/digest.ts';
import type { Logger } from '#shared/logger.ts';
import type { ContentCache } from './content-cache.ts';
import type { Placement, StorageDriver } from './driver.ts';
import type { KeyedMutex } from './keyed-mutex.ts';
import type { LinkReader } from './link-reader.ts';
import type { StatedSizes } from './stated-sizes.ts';
import type { StoreObserver } from './store.ts';
import type { UploadMemory } from './uploads/upload-memory.ts';
import type { UploadSessions } from './uploads/upload-sessions.ts';
import type { WriterThreads } from './uploads/writer-threads.ts';

/** What the stores of all repositories share. */
export interface StoreContext {
  driver: StorageDriver;
  logger: Logger;
  links: LinkReader;
  contents: ContentCache;
  sizes: StatedSizes;
  /** By digest, and then by tag: always taken in this order. */
  locks: KeyedMutex;
  sessions: UploadSessions;
  uploadMemory: UploadMemory;
  writerThreads: WriterThreads;
  /** Calls each observer; one that throws is logged and changes nothing for the client. */
  notify(tell: (observer: StoreObserver) => void): void;
  /** Counts `change` as running, so that close() waits for it. */
  track<T>(change: Promise<T>): Promise<T>;
}

/** A link file holds the digest and nothing else. */
export function link(path: string, digest: Digest): Placement {
  return { path, content: Buffer.from(digest, 'latin1') };
}
