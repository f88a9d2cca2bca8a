/** Reads the whole tree and decides what can go. It changes nothing. */
import { repositoriesRoot, repositoryDirectory } from '#registry/storage/layout.ts';
import { isRepositoryName } from '#registry/oci/reference.ts';
import { findLooseBlobs } from './loose-blobs.ts';
import { select, keep, type Selection } from './repository-plan.ts';
import { digestDirectories, readSnapshot, type Snapshot } from './snapshot.ts';
import { layerDirectory, revisionDirectory } from './tree-paths.ts';
import { settle, type Task, type Volume } from './volume.ts';
import type { CollectOptions, DeadManifest, MarkObserver, Plan, RepositoryPlan } from './plan.ts';

export interface MarkOptions extends CollectOptions {
  /** Milliseconds since 1970. */
  now: number;
  observer?: MarkObserver;
}

interface Mark {
  volume: Volume;
  options: MarkOptions;
  /** Later than this is young. */
  cutoff: number;
  marked: Set<string>;
  plan: Plan;
}

export function* mark(volume: Volume, options: MarkOptions): Task<Plan> {
  const plan: Plan = { repositories: [], blobs: [], emptyDirectories: [], marked: 0, problems: [] };
  // Without a minimum age nothing is young, not even what a clock that is ahead has written.
  const cutoff = options.minimumAgeMs > 0 ? options.now - options.minimumAgeMs : Number.POSITIVE_INFINITY;
  const state: Mark = { volume, options, cutoff, marked: new Set(), plan };
  yield* markBelow(state, '');
  plan.marked = state.marked.size;
  yield* findLooseBlobs(volume, { marked: state.marked, cutoff, plan, checkpoint: options.observer?.checkpoint });
  return plan;
}

/** A directory with `_manifests` or `_layers` is a repository, and others may be nested in it. */
function* markBelow(state: Mark, parent: string): Task<void> {
  const names = (yield* settle(state.volume.list(join(repositoriesRoot, parent)))) ?? [];
  if (names.some((name) => name.startsWith('_')) && parent !== '') yield* markOne(state, parent, names);
  for (const name of names.toSorted()) {
    const repository = join(parent, name);
    if (isRepositoryName(repository)) yield* markBelow(state, repository);
  }
}

function* markOne(state: Mark, name: string, entries: string[]): Task<void> {
  state.options.observer?.checkpoint?.();
  state.options.observer?.repository?.(name);
  try {
    const snapshot = yield* readSnapshot(state.volume, name);
    const selection = select(snapshot, { deleteUntagged: state.options.deleteUntagged, cutoff: state.cutoff });
    yield* keepYoungLayers(state, snapshot, selection);
    announce(state, snapshot, selection);
    state.plan.repositories.push(yield* planRepository(state, snapshot, selection, entries));
    state.plan.problems.push(...snapshot.problems);
  } catch (error) {
    throw new Error(`repository ${name} can't be read, so nothing is removed: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function* keepYoungLayers(state: Mark, snapshot: Snapshot, selection: Selection): Task<void> {
  const loose: string[] = [];
  for (const digest of selection.looseLayers) {
    const link = yield* settle(state.volume.stat(`${layerDirectory(snapshot.name, digest)}/link`));
    if (link && link.modifiedMs > state.cutoff) keep(snapshot, selection.kept, { digest, size: 0 });
    else if (link) loose.push(digest);
    else state.plan.emptyDirectories.push({ key: digest, path: layerDirectory(snapshot.name, digest) });
  }
  // The other half of an alias may have been kept just now.
  selection.looseLayers = loose.filter((digest) => !selection.kept.has(digest));
}

function announce(state: Mark, snapshot: Snapshot, selection: Selection): void {
  const { observer } = state.options;
  for (const digest of selection.manifests) observer?.manifestMarked?.(snapshot.name, digest);
  for (const digest of selection.kept.keys()) {
    if (!state.marked.has(digest) && !selection.manifests.has(digest)) observer?.blobMarked?.(snapshot.name, digest);
    state.marked.add(digest);
  }
}

function* planRepository(
  state: Mark,
  snapshot: Snapshot,
  selection: Selection,
  entries: string[],
): Task<RepositoryPlan> {
  const { name } = snapshot;
  for (const digest of snapshot.deleted) {
    state.plan.emptyDirectories.push({ key: digest, path: revisionDirectory(name, digest) });
  }
  const history = yield* tagHistory(state, snapshot, new Set(selection.deadManifests));
  const deadManifests: DeadManifest[] = selection.deadManifests.map((digest) => ({
    digest,
    formerTags: history.get(digest) ?? [],
  }));
  const uploads = (yield* settle(state.volume.list(`${repositoryDirectory(name)}/_uploads`))) ?? [];
  const plan: RepositoryPlan = {
    name,
    manifests: snapshot.revisions.size - deadManifests.length,
    bytes: [...selection.kept.values()].reduce((sum, size) => sum + size, 0),
    deadTags: selection.deadTags,
    deadManifests,
    deadLayers: selection.looseLayers,
    dead: false,
  };
  plan.dead =
    plan.manifests === 0 &&
    snapshot.tags.size === plan.deadTags.length &&
    snapshot.layers.every((digest) => !selection.kept.has(digest)) &&
    uploads.length === 0 &&
    entries.every((entry) => !entry.startsWith('_') || emptied.has(entry));
  return plan;
}

/** What a repository consists of; anything else below it (another registry's) keeps it. */
const emptied = new Set(['_layers', '_manifests', '_uploads']);

/** For each dead manifest the tags that have it in their history: one listing for each tag, however many manifests. */
function* tagHistory(state: Mark, snapshot: Snapshot, dead: ReadonlySet<string>): Task<Map<string, string[]>> {
  const history = new Map<string, string[]>();
  if (dead.size === 0) return history;
  const buried = new Set(snapshot.tags.keys());
  for (const tag of buried) {
    const index = `${repositoryDirectory(snapshot.name)}/_manifests/tags/${tag}/index`;
    for (const { digest } of yield* digestDirectories(state.volume, index)) {
      if (dead.has(digest)) history.set(digest, [...(history.get(digest) ?? []), tag]);
    }
  }
  return history;
}

function join(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`;
}
