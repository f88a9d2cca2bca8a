/**
 * What of one repository stays and what goes. Pure: everything that it decides on is in the snapshot.
 *
 * The rule behind all others: what can't be read is taken to refer to everything. A repository with a manifest or a link
 * that is damaged keeps all that it lists until somebody heals or deletes that one thing; it is reported by each run.
 */
import { orderDead, reach, subjectOfTag, tagKey, type ManifestGraph } from './reachability.ts';
import type { Revision, Snapshot } from './snapshot.ts';
import type { DeadTag } from './plan.ts';
import type { ContentReference } from './references.ts';

export interface SelectionOptions {
  /** Also remove manifests that no tag and no live manifest keeps, and what was said about them. */
  deleteUntagged: boolean;
  /** Milliseconds since 1970: what was written later stays, since a push may be under way. */
  cutoff: number;
}

export interface Selection {
  /** Live manifests. */
  manifests: Set<string>;
  /** Everything that must stay in the registry on behalf of this repository, manifests too, with the bytes of each. */
  kept: Map<string, number>;
  /** One that keeps others comes before them. */
  deadManifests: { digest: string; keeps: string[] }[];
  /** Tags that are named after a manifest that is gone. */
  deadTags: DeadTag[];
  /** Layer directories that nothing here refers to; whether their links are young is not known yet. */
  looseLayers: string[];
}

export function select(snapshot: Snapshot, options: SelectionOptions): Selection {
  const graph = graphOf(snapshot);
  const { manifests, hold } = liveManifests(snapshot, graph, options);
  const kept = keptContent(snapshot, graph, manifests);
  const dead = new Set([...snapshot.revisions.keys()].filter((digest) => !manifests.has(digest)));
  if (hold) for (const digest of snapshot.layers) keep(snapshot, kept, { digest, size: 0 });
  return {
    manifests,
    kept,
    deadManifests: orderDead(graph, dead),
    deadTags: options.deleteUntagged && !hold ? deadTags(graph, manifests) : [],
    looseLayers: snapshot.layers.filter((digest) => !kept.has(digest)),
  };
}

/** Keeps a blob, and the content that its layer link really names. */
export function keep(snapshot: Snapshot, kept: Map<string, number>, blob: ContentReference): void {
  kept.set(blob.digest, Math.max(kept.get(blob.digest) ?? 0, blob.size));
  const alias = snapshot.aliases.get(blob.digest);
  if (alias) kept.set(alias, blob.size);
}

function liveManifests(
  snapshot: Snapshot,
  graph: ManifestGraph,
  options: SelectionOptions,
): { manifests: Set<string>; hold: boolean } {
  const everything = new Set(snapshot.revisions.keys());
  const contents = [...snapshot.revisions.values()].map(({ content }) => content);
  if (snapshot.uncertain || contents.includes('unreadable')) return { manifests: everything, hold: true };
  if (!options.deleteUntagged) return { manifests: everything, hold: contents.includes('missing') };
  const manifests = reach(graph, rootsOf(snapshot, graph, options.cutoff));
  const lost = [...manifests].some((digest) => snapshot.revisions.get(digest)?.content === 'missing');
  return lost ? { manifests: everything, hold: true } : { manifests, hold: false };
}

/** Tagged by a person or a tool, or so young that its tag or its index may still be on the way. */
function rootsOf(snapshot: Snapshot, graph: ManifestGraph, cutoff: number): Set<string> {
  const roots = new Set<string>();
  const known = new Set([...snapshot.revisions.keys(), ...snapshot.deleted].map(tagKey));
  for (const [tag, target] of graph.tags) {
    const subject = subjectOfTag(tag);
    // Signatures may be kept in a repository of their own (COSIGN_REPOSITORY), where their subject never was.
    if (!subject || !known.has(subject)) roots.add(target);
  }
  for (const [digest, revision] of snapshot.revisions) if (isYoung(revision, cutoff)) roots.add(digest);
  return roots;
}

function isYoung(revision: Revision, cutoff: number): boolean {
  return revision.modifiedMs > cutoff;
}

function deadTags(graph: ManifestGraph, manifests: ReadonlySet<string>): DeadTag[] {
  const dead = [...graph.tags].filter(([tag, target]) => subjectOfTag(tag) && !manifests.has(target));
  return dead.map(([name, target]) => ({ name, target }));
}

function keptContent(snapshot: Snapshot, graph: ManifestGraph, manifests: ReadonlySet<string>): Map<string, number> {
  const kept = new Map<string, number>();
  for (const digest of manifests) {
    kept.set(digest, snapshot.revisions.get(digest)?.size ?? 0);
    const references = graph.manifests.get(digest);
    for (const blob of references?.blobs ?? []) keep(snapshot, kept, blob);
    // A child that this repository does not have costs nothing to keep, and may be pushed next.
    for (const child of references?.manifests ?? []) if (!kept.has(child.digest)) kept.set(child.digest, child.size);
  }
  return kept;
}

function graphOf(snapshot: Snapshot): ManifestGraph {
  const manifests: ManifestGraph['manifests'] = new Map(
    [...snapshot.revisions].flatMap(([digest, { content }]) =>
      typeof content === 'string' ? [] : [[digest, content] as const],
    ),
  );
  const tags = new Map<string, string>();
  for (const [tag, target] of snapshot.tags) if (target !== undefined) tags.set(tag, target);
  return { manifests, tags };
}
