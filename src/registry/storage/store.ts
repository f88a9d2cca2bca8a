/**
 * What the HTTP room needs of storage, and no more. Everything that returns has been made durable: data synced, renamed
 * into place, directories synced. A missing thing is `undefined` or `false`; an error means that storage failed, or, as
 * a RegistryError, that the client did.
 */
import type { Digest, DigestAlgorithm } from '#registry/oci/digest.ts';
import type { FileInfo } from './driver.ts';

export interface RegistryStore {
  /** No I/O; the name must have been checked by isRepositoryName. */
  repository(name: string): RepositoryStore;
  /** Rejects when the storage can't be used: the health check of distribution's `health.storagedriver`. */
  check(): Promise<void>;
  /** Bytes of the volume; `undefined` where the notion has no meaning (object stores). */
  space(): Promise<Space | undefined>;
  /**
   * Moves the data of a blob to the path `to`, as long as it is the file that `seen` tells of; `false` when it is not, or not any
   * more. From then on the blob is missing in all repositories.
   */
  setAside(digest: Digest, options: { seen: FileInfo; to: string }): Promise<boolean>;
  /** Waits for running commits, closes what is open; uploads stay resumable. */
  close(): Promise<void>;
}

export interface Space {
  capacity: number;
  free: number;
}

export interface RepositoryStore {
  readonly name: string;
  readonly blobs: BlobStore;
  readonly uploads: UploadStore;
  readonly manifests: ManifestStore;
  readonly tags: TagStore;
}

export interface BlobDescriptor {
  digest: Digest;
  /** Bytes. */
  size: number;
}

export interface BlobStore {
  /** Linked into this repository, and its data there with the right size. */
  stat(digest: Digest): Promise<BlobDescriptor | undefined>;
  open(digest: Digest): Promise<BlobReader | undefined>;
  /** Links a blob of `from` (any repository when omitted: anonymous mount) into this one. */
  mount(digest: Digest, from?: string): Promise<BlobDescriptor | undefined>;
  /** Removes the link; the data stays for garbage collection. */
  unlink(digest: Digest): Promise<boolean>;
}

export interface BlobReader extends BlobDescriptor {
  /** The whole content when it is small and in the memory cache; then `read` and `close` cost nothing. */
  readonly content?: Buffer;
  /** Fills `into` from `position`; the number of bytes read, less than asked only at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

export interface UploadStore {
  create(algorithm?: DigestAlgorithm): Promise<Upload>;
  get(id: string): Promise<Upload | undefined>;
}

/** Bytes as they arrive. */
export interface ByteSource extends AsyncIterable<Uint8Array> {
  /** Nobody else looks at the chunks: their memory may be freed before the garbage collector comes, or handed to another thread. */
  readonly givenAway?: boolean;
}

/** An upload session. Its state is on disk, so that it goes on after a restart and in another replica. */
export interface Upload {
  readonly id: string;
  readonly startedAt: Date;
  /** Bytes received and kept so far. */
  readonly size: number;
  /**
   * Appends and hashes while streaming; resolves with the new size. Chunks must not be reused by their maker. When the source breaks off, what arrived is kept
   * and the error is thrown, so that the client can resume from `size`. One writer at a time: a second one is refused
   * with a RegistryError.
   */
  append(source: ByteSource): Promise<number>;
  /** Checks the digest (DIGEST_INVALID), moves the data into place and links it into the repository. */
  commit(expected: Digest): Promise<BlobDescriptor>;
  cancel(): Promise<void>;
}

export interface StoredManifest {
  digest: Digest;
  mediaType: string;
  /** Exactly the bytes that were pushed. */
  bytes: Buffer;
}

export interface ManifestStore {
  /** Bytes, not only existence: manifests are small, immutable and cached. */
  get(digest: Digest): Promise<StoredManifest | undefined>;
  /**
   * The caller has validated the content and that what it refers to exists. With a condition that one of the tags does not
   * meet nothing is stored, and that tag is the result.
   */
  put(manifest: StoredManifest, options?: PutOptions): Promise<TagConflict | undefined>;
  /** Removes the revision and every tag that points to it; `false` when it was not there. */
  delete(digest: Digest): Promise<boolean>;
}

export interface PutOptions {
  /** What is to point to the manifest. */
  tags?: string[];
  /** Nothing in this process changes any of the tags between the look and the last write. */
  condition?: TagCondition | undefined;
}

/** Of what a tag points to now, `undefined` when there is no such tag. */
export type TagCondition = (current: Digest | undefined) => boolean;

export interface TagConflict {
  tag: string;
  current: Digest | undefined;
}

export interface TagStore {
  resolve(tag: string): Promise<Digest | undefined>;
  /** `false` when there is no such tag, or when it does not meet the condition. */
  delete(tag: string, condition?: TagCondition): Promise<boolean>;
}

/** Told of every change after it is durable and before the client is answered. The catalog is one. */
export interface StoreObserver {
  /** A blob was pushed or mounted, so that the repository has it now. */
  blobCommitted?(repository: string, blob: BlobDescriptor): void;
  blobUnlinked?(repository: string, digest: Digest): void;
  /** The data is gone: it was corrupt and was set aside, while links stay, or it was garbage. */
  blobRemoved?(digest: Digest): void;
  manifestPut?(repository: string, manifest: StoredManifest): void;
  manifestDeleted?(repository: string, digest: Digest): void;
  tagSet?(repository: string, tag: string, digest: Digest): void;
  tagDeleted?(repository: string, tag: string): void;
  /** Somebody asked for a tag that has no link. */
  tagMissed?(repository: string, tag: string): void;
  /** Nothing was left in it, and its directories are gone. */
  repositoryRemoved?(repository: string): void;
}
