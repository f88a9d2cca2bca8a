import type { StorageDriver } from '#registry/storage/driver.ts';
import type { KeyedMutex } from '#registry/storage/keyed-mutex.ts';
import type { StoreObserver } from '#registry/storage/store.ts';
import type { UploadMemory } from './upload-memory.ts';
import type { WriterThreads } from './writer-threads.ts';

/** What all uploads share, and the stores with them. */
export interface UploadContext {
  driver: StorageDriver;
  /** By digest, and then by tag: always taken in this order. */
  locks: KeyedMutex;
  uploadMemory: UploadMemory;
  writerThreads: WriterThreads;
  /** Calls each observer; one that throws is logged and changes nothing for the client. */
  notify(tell: (observer: StoreObserver) => void): void;
  /** Counts `change` as running, so that close() waits for it. */
  track<T>(change: Promise<T>): Promise<T>;
}
