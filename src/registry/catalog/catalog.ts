/**
 * The index: repositories, tags and sizes in memory, rebuilt from storage at the start, updated by every write (it is a
 * StoreObserver). Never authoritative: the tree on disk is.
 */
import type { CatalogUsage } from '#shared/usage.ts';
import type { StoreObserver } from '#registry/storage/store.ts';

export interface PageRequest {
  /** Entries that sort after this one; it need not exist. */
  after?: string;
  limit: number;
}

export interface Page {
  entries: string[];
  /** There are more after the last entry. */
  more: boolean;
  /** Of the whole list: another object after each change, so that what was made of a page can be kept until then. */
  version: object;
}

export interface Catalog extends StoreObserver {
  /** Reads the tree; resolves when the index is complete, rejects when `signal` aborts it. Requests are served meanwhile. */
  build(signal: AbortSignal): Promise<void>;
  /** Repositories with a manifest directory, in ASCII order; waits for the build, and rejects with UNAVAILABLE when it failed. */
  repositories(page: PageRequest): Promise<Page>;
  /** In ASCII order; `undefined` for an unknown repository. Answers from disk for a repository not read yet. */
  tags(repository: string, page: PageRequest): Promise<Page | undefined>;
  usage(): CatalogUsage;
  /** Called after each change of the usage figures; returns the function that stops it. */
  onChange(listener: () => void): () => void;
}
