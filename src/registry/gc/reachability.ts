/**
 * Which manifests of one repository live, by graph rules alone; no storage, no time.
 *
 *   - a manifest that is kept for its own sake (a root) lives;
 *   - an index keeps its manifests, nested ones too;
 *   - a subject keeps its referrers (signatures, SBOMs), and they keep theirs;
 *   - a tag that is named after a digest belongs to that manifest: it is no root of its own, and it falls with it.
 */
import type { ManifestReferences } from './references.ts';

export interface ManifestGraph {
  /** By digest; every revision of the repository whose content could be read. */
  manifests: ReadonlyMap<string, ManifestReferences>;
  /** Tag name to digest. */
  tags: ReadonlyMap<string, string>;
}

/**
 * The digest that a tag is named after, `sha256-<hex>` or with a suffix: the fallback tag of the referrers API and the
 * tags of cosign (`.sig`, `.att`, `.sbom`). A digest longer than 64 characters is truncated in a tag, so the result is
 * then its beginning.
 * Source: distribution-spec "Referrers Tag Schema"; cosign's signature specification.
 */
export function subjectOfTag(tag: string): string | undefined {
  const match = /^(sha256|sha512)-([0-9a-f]{64})(?:\.[a-z]+)?$/.exec(tag);
  return match ? `${match[1]}:${match[2]}` : undefined;
}

/** The first 64 characters of the encoded part, which is all that a tag can hold. */
export function tagKey(digest: string): string {
  return digest.slice(0, digest.indexOf(':') + 1 + 64);
}

/** Every manifest that the roots keep alive, themselves included. */
export function reach(graph: ManifestGraph, roots: Iterable<string>): Set<string> {
  return reachFrom(graph, dependantsOf(graph), roots);
}

/**
 * The dead manifests in an order in which whatever keeps another one comes before it, each with all that it keeps. So
 * when one turns out to be in use after all, nothing that it keeps has been removed yet.
 */
export function orderDead(graph: ManifestGraph, dead: ReadonlySet<string>): { digest: string; keeps: string[] }[] {
  const dependants = dependantsOf(graph);
  const all = [...dead].map((digest) => {
    const keeps = reachFrom(graph, dependants, [digest]);
    keeps.delete(digest);
    return { digest, keeps: [...keeps].filter((kept) => dead.has(kept)) };
  });
  // Who keeps another keeps all that the other keeps, and the other itself: so it keeps more.
  return all.sort((a, b) => b.keeps.length - a.keeps.length);
}

function reachFrom(graph: ManifestGraph, dependants: Dependants, roots: Iterable<string>): Set<string> {
  const live = new Set<string>();
  const waiting = [...roots];
  for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
    if (live.has(digest)) continue;
    live.add(digest);
    for (const child of graph.manifests.get(digest)?.manifests ?? []) waiting.push(child.digest);
    for (const referrer of dependants.bySubject.get(digest) ?? []) waiting.push(referrer);
    for (const target of dependants.byTag.get(tagKey(digest)) ?? []) waiting.push(target);
  }
  return live;
}

interface Dependants {
  /** Subject to its referrers. */
  bySubject: Map<string, string[]>;
  /** Key of a digest to the targets of the tags that are named after it. */
  byTag: Map<string, string[]>;
}

function dependantsOf(graph: ManifestGraph): Dependants {
  const bySubject = new Map<string, string[]>();
  const byTag = new Map<string, string[]>();
  for (const [digest, { subject }] of graph.manifests) if (subject) append(bySubject, subject, digest);
  for (const [tag, target] of graph.tags) {
    const subject = subjectOfTag(tag);
    if (subject) append(byTag, subject, target);
  }
  return { bySubject, byTag };
}

function append(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
