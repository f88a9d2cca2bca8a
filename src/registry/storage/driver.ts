/**
 * What the stores need of a place to keep files, and no more, so that a bucket can be one. Paths are absolute within the
 * driver (`/docker/registry/v2/...`) and come from layout.ts, which makes them of checked names only. A missing file is
 * `undefined` or `false`; an error means that the place failed. A full or read-only volume is a RegistryError that says so.
 */
export interface StorageDriver {
  /** As configurations and metrics name it: `filesystem`, `inmemory`. */
  readonly name: string;
  /** Milliseconds within which two changes of a file may leave the same {@link FileInfo}: the tick of the place's clock. */
  readonly tickMs: number;
  stat(path: string): Promise<FileInfo | undefined>;
  /** The whole content, for small files, with the info of just that content. */
  getContent(path: string): Promise<FileContent | undefined>;
  /** Replaces the file atomically and durably: a crash leaves the old content or the new one. */
  putContent(path: string, content: Uint8Array): Promise<void>;
  /**
   * Puts files in their places, each atomically, stage by stage: none of a stage can be seen, or survives a crash, unless
   * all of the stages before it do. Within a stage there is no order. All are durable when it resolves; when it rejects,
   * some may be in their places, in that order. Rejects with the code
   * ENOENT when a file that should be moved is missing.
   */
  publish(stages: Placement[][]): Promise<void>;
  open(path: string): Promise<FileReader | undefined>;
  /** Creates the file and its directories; an existing one is kept and written from its end. */
  append(path: string): Promise<FileWriter>;
  /** In no order. `undefined` when there is no such directory. */
  list(path: string): Promise<DirectoryEntry[] | undefined>;
  /** Durably, replacing what is there; `false` when `from` is missing. The content must have been synced. */
  move(from: string, to: string, options?: WriteOptions): Promise<boolean>;
  /** A file, or a directory with all that is in it. */
  delete(path: string, options?: WriteOptions): Promise<boolean>;
  /** A directory, only when nothing is in it, so that nobody loses what he has just put there. */
  removeEmpty(path: string): Promise<boolean>;
  /** Sets the time of the last change to now, which other processes on the same place see; `false` when it is missing. */
  touch(path: string): Promise<boolean>;
  /** Bytes of the volume; `undefined` where the notion has no meaning. */
  space(): Promise<{ capacity: number; free: number } | undefined>;
}

/** What a file becomes: this content, or that of the file `from`, which need not have been synced and goes away. */
export type Placement = { path: string; content: Uint8Array } | { path: string; from: string };

export interface FileInfo {
  isDirectory: boolean;
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970, with the fraction that the place gives. */
  modifiedMs: number;
  /** Changes when another file takes the path: an inode number, an ETag. */
  identity: number | string;
}

export interface FileContent {
  bytes: Buffer;
  info: FileInfo;
}

export interface DirectoryEntry {
  name: string;
  isDirectory: boolean;
}

export interface WriteOptions {
  /** Saves a sync; after a power failure the file may be where it was. For leftovers that are of no account. */
  lazily?: boolean;
}

export interface FileReader {
  readonly info: FileInfo;
  /** Fills `into` from `position`; the bytes read, less than asked only at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

export interface FileWriter {
  /** Bytes in the file. */
  readonly size: number;
  /** In order, all of them or an error; the buffers may be reused afterwards. One call at a time. */
  write(chunks: Uint8Array[]): Promise<void>;
  /**
   * Lets another thread append: `by` is given a descriptor, open to read and to append, and resolves when that thread has written
   * `bytes` bytes. An error is as one of write(). Absent where there are no descriptors. Several may be under way.
   */
  lend?(bytes: number, by: (descriptor: number) => Promise<void>): Promise<void>;
  /** The content survives a power failure from here on. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Whether nobody has replaced or changed the file between two looks at it. */
export function isSameFile(a: FileInfo, b: FileInfo): boolean {
  return a.identity === b.identity && a.modifiedMs === b.modifiedMs && a.size === b.size;
}

/**
 * Whether a later change of the file will show in its info. One that was changed a moment before it was looked at can be
 * changed again within the same tick; what was read from it must not be remembered yet (git calls it "racy").
 */
export function isSettled(driver: StorageDriver, info: FileInfo): boolean {
  return Date.now() - info.modifiedMs >= driver.tickMs;
}
