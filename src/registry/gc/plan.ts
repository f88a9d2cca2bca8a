/** What a mark found: the data that passes from the thread that reads to whoever removes. Plain, so that it can be sent. */
import type { Checkpoint } from './interrupt.ts';
import type { Problem } from './snapshot.ts';

export interface CollectOptions {
  /** Also remove manifests that no tag keeps. */
  deleteUntagged: boolean;
  /** Milliseconds: what is younger is kept. */
  minimumAgeMs: number;
}

export interface Plan {
  repositories: RepositoryPlan[];
  /** Blobs that nothing keeps. */
  blobs: BlobPlan[];
  /** Directories that a removal left empty, deepest first. */
  emptyDirectories: EmptyDirectory[];
  /** Digests that something keeps. */
  marked: number;
  problems: Problem[];
}

export interface RepositoryPlan {
  name: string;
  /** Live manifests. */
  manifests: number;
  /** Bytes that its live manifests and their blobs have, as the manifests state them, each digest once. */
  bytes: number;
  deadTags: DeadTag[];
  /** One that keeps others comes before them. */
  deadManifests: DeadManifest[];
  deadLayers: DeadLayer[];
  /** Nothing is left in it, not even an upload. */
  dead: boolean;
}

export interface DeadTag {
  name: string;
  /** The digest that it points to. */
  target: string;
}

export interface DeadLayer {
  digest: string;
  /** Of its link. */
  modifiedMs: number;
  /** Digests by which a push may rely on it. */
  keys: string[];
}

export interface DeadManifest {
  digest: string;
  /** Of its link. */
  modifiedMs: number;
  /** Dead manifests that would live if this one did: its own and, in turn, theirs. */
  keeps: string[];
  /** Tags that pointed to it once, whose history still says so. */
  formerTags: string[];
}

export interface BlobPlan {
  digest: string;
  /** Bytes on the volume. */
  size: number;
  modifiedMs: number;
  /** Digests by which a push may rely on it: its own, and those of distribution's links that lead to it. */
  keys: string[];
}

export interface EmptyDirectory {
  /** What a writer holds while it uses the directory. */
  key: string;
  path: string;
}

/** Told of a mark as it goes on; what `registry garbage-collect` prints. */
export interface MarkObserver {
  repository?(name: string): void;
  manifestMarked?(repository: string, digest: string): void;
  blobMarked?(repository: string, digest: string): void;
  /** Called often; throws {@link Interrupted} to stop the mark. */
  checkpoint?: Checkpoint;
}
