/**
 * Carries a plan out: manifests with the tags that are named after them, layer links, blobs, and then what this left
 * empty; so nothing that a client could ask for ever leads to a blob that is gone already. Interrupted anywhere, the next
 * run finds the rest.
 */
import type { Checkpoint } from './interrupt.ts';
import { settle, type Task } from './volume.ts';
import type { BlobPlan, DeadLayer, DeadManifest, DeadTag, EmptyDirectory, Plan } from './plan.ts';
import type { Problem } from './snapshot.ts';

/** Removes one thing; `false` when it stays after all, because somebody has begun to use it, or it is gone already. */
export interface Remover {
  tag(repository: string, tag: DeadTag): Task<boolean>;
  manifest(repository: string, manifest: DeadManifest): Task<boolean>;
  layer(repository: string, layer: DeadLayer): Task<boolean>;
  blob(blob: BlobPlan): Task<boolean>;
  emptyDirectory(directory: EmptyDirectory): Task<boolean>;
  /** What is left of a repository in which nothing is left. */
  repository(name: string): Task<boolean>;
}

export interface Removed {
  tags: number;
  manifests: number;
  layers: number;
  blobs: number;
  /** Of the blobs. */
  bytes: number;
  repositories: number;
  /** What could not be removed. */
  problems: Problem[];
}

interface Sweep {
  removed: Removed;
  checkpoint: Checkpoint;
}

export function nothingRemoved(): Removed {
  return { tags: 0, manifests: 0, layers: 0, blobs: 0, bytes: 0, repositories: 0, problems: [] };
}

export function addRemoved(sum: Removed, part: Removed): void {
  for (const kind of ['tags', 'manifests', 'layers', 'blobs', 'bytes', 'repositories'] as const)
    sum[kind] += part[kind];
  // Not spread: a volume that has become read-only has more problems than a call takes arguments.
  for (const problem of part.problems) sum.problems.push(problem);
}

export function* sweep(plan: Plan, remover: Remover, checkpoint: Checkpoint = () => {}): Task<Removed> {
  const removed = nothingRemoved();
  const state: Sweep = { removed, checkpoint };
  for (const { name, deadTags, deadManifests, deadLayers } of plan.repositories) {
    const kept = yield* sweepManifests(state, deadManifests, (manifest) => remover.manifest(name, manifest));
    for (const tag of deadTags) {
      if (!kept.has(tag.target)) removed.tags += yield* attempt(state, tag.name, () => remover.tag(name, tag));
    }
    for (const layer of deadLayers) {
      removed.layers += yield* attempt(state, layer.digest, () => remover.layer(name, layer));
    }
  }
  for (const blob of plan.blobs) {
    const count = yield* attempt(state, blob.digest, () => remover.blob(blob));
    removed.blobs += count;
    removed.bytes += count * blob.size;
  }
  for (const directory of plan.emptyDirectories) {
    yield* attempt(state, directory.path, () => remover.emptyDirectory(directory));
  }
  for (const { name, dead } of plan.repositories) {
    if (dead) removed.repositories += yield* attempt(state, name, () => remover.repository(name));
  }
  return removed;
}

/** Returns what stays after all, because somebody uses it, with what that keeps. */
function* sweepManifests(
  state: Sweep,
  dead: DeadManifest[],
  remove: (manifest: DeadManifest) => Task<boolean>,
): Task<Set<string>> {
  const kept = new Set<string>();
  for (const manifest of dead) {
    if (kept.has(manifest.digest)) continue;
    const count = yield* attempt(state, manifest.digest, () => remove(manifest));
    state.removed.manifests += count;
    if (count === 0) for (const digest of [manifest.digest, ...manifest.keeps]) kept.add(digest);
  }
  return kept;
}

/** 1 when it was removed. A failure is noted and the rest goes on. */
function* attempt(state: Sweep, subject: string, action: () => Task<boolean>): Task<number> {
  yield* settle(state.checkpoint());
  try {
    return (yield* action()) ? 1 : 0;
  } catch (error) {
    state.removed.problems.push({ subject, message: `it can't be removed: ${(error as Error).message}` });
    return 0;
  }
}
