/** Reads the whole tree and decides what can go. It changes nothing. */
import { repositoriesRoot, repositoryDirectory } from '#registry/storage/layout.ts';
import { isRepositoryName } from '#registry/oci/reference.ts';
import { Interrupted } from './interrupt.ts';
import { findLooseBlobs } from './loose-blobs.ts';
import { select, keep, type Selection } from './repository-plan.ts';
import { subjectOfTag, tagKey } from './reachability.ts';
import { digestDirectories, readSnapshot, type Snapshot } from './snapshot.ts';
import { layerDirectory, revisionDirectory } from './tree-paths.ts';
import { settle, type Task, type Volume } from './volume.ts';
import type { CollectOptions, DeadLayer, DeadManifest, MarkObserver, Plan, RepositoryPlan } from './plan.ts';

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
  /** Content to the digests of the links that lead to it. */
  aliasesOf: Map<string, string[]>;
  plan: Plan;
}

export function* mark(volume: Volume, options: MarkOptions): Task<Plan> {
  const plan: Plan = { repositories: [], blobs: [], emptyDirectories: [], marked: 0, problems: [] };
  // Without a minimum age nothing is young, not even what a clock that is ahead has written.
  const cutoff = options.minimumAgeMs > 0 ? options.now - options.minimumAgeMs : Number.POSITIVE_INFINITY;
  const state: Mark = { volume, options, cutoff, marked: new Set(), aliasesOf: new Map(), plan };
  yield* markBelow(state, '');
  plan.marked = state.marked.size;
  const { marked, aliasesOf } = state;
  yield* findLooseBlobs(volume, { marked, aliasesOf, cutoff, plan, checkpoint: options.observer?.checkpoint });
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
  const { observer } = state.options;
  yield* settle(observer?.checkpoint?.());
  observer?.repository?.(name);
  try {
    const snapshot = yield* readSnapshot(state.volume, name, observer?.checkpoint);
    const selection = select(snapshot, { deleteUntagged: state.options.deleteUntagged, cutoff: state.cutoff });
    const deadLayers = yield* deadLayersOf(state, snapshot, selection);
    announce(state, snapshot, selection);
    state.plan.repositories.push(yield* planRepository(state, { snapshot, selection, deadLayers, entries }));
    for (const [alias, target] of snapshot.aliases) {
      state.aliasesOf.set(target, [...(state.aliasesOf.get(target) ?? []), alias]);
    }
    for (const problem of snapshot.problems) state.plan.problems.push(problem);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    throw new Error(`repository ${name} can't be read, so nothing is removed: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function* deadLayersOf(state: Mark, snapshot: Snapshot, selection: Selection): Task<DeadLayer[]> {
  const loose: DeadLayer[] = [];
  for (const digest of selection.looseLayers) {
    const link = yield* settle(state.volume.stat(`${layerDirectory(snapshot.name, digest)}/link`));
    if (link && link.modifiedMs > state.cutoff) keep(snapshot, selection.kept, { digest, size: 0 });
    else if (link) loose.push({ digest, modifiedMs: link.modifiedMs, keys: [digest, ...aliasesOf(snapshot, digest)] });
    else state.plan.emptyDirectories.push({ key: digest, path: layerDirectory(snapshot.name, digest) });
  }
  // The other half of an alias may have been kept just now.
  return loose.filter(({ digest }) => !selection.kept.has(digest));
}

function aliasesOf(snapshot: Snapshot, digest: string): string[] {
  return [...snapshot.aliases].filter(([, target]) => target === digest).map(([alias]) => alias);
}

function announce(state: Mark, snapshot: Snapshot, selection: Selection): void {
  const { observer } = state.options;
  for (const digest of selection.manifests) observer?.manifestMarked?.(snapshot.name, digest);
  for (const digest of selection.kept.keys()) {
    if (!state.marked.has(digest) && !selection.manifests.has(digest)) observer?.blobMarked?.(snapshot.name, digest);
    state.marked.add(digest);
  }
}

interface MarkedRepository {
  snapshot: Snapshot;
  selection: Selection;
  deadLayers: DeadLayer[];
  /** Names in its directory. */
  entries: string[];
}

function* planRepository(state: Mark, marked: MarkedRepository): Task<RepositoryPlan> {
  const { snapshot, selection, deadLayers, entries } = marked;
  const { name } = snapshot;
  // The place of a deleted manifest tells that a signature's subject is gone, as long as there is a signature.
  const mentioned = new Set([...snapshot.tags.keys()].map(subjectOfTag));
  for (const digest of snapshot.deleted) {
    if (mentioned.has(tagKey(digest))) continue;
    state.plan.emptyDirectories.push({ key: digest, path: revisionDirectory(name, digest) });
  }
  const history = yield* tagHistory(state, snapshot, new Set(selection.deadManifests.map(({ digest }) => digest)));
  const deadManifests: DeadManifest[] = selection.deadManifests.map((manifest) => ({
    ...manifest,
    modifiedMs: snapshot.revisions.get(manifest.digest)?.modifiedMs ?? 0,
    formerTags: history.get(manifest.digest) ?? [],
  }));
  const uploads = (yield* settle(state.volume.list(`${repositoryDirectory(name)}/_uploads`))) ?? [];
  const plan: RepositoryPlan = {
    name,
    manifests: snapshot.revisions.size - deadManifests.length,
    bytes: [...selection.kept.values()].reduce((sum, size) => sum + size, 0),
    deadTags: selection.deadTags,
    deadManifests,
    deadLayers,
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
  for (const tag of snapshot.tags.keys()) {
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
