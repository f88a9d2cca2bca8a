/** One repository as a collection reads it: its manifests with what they refer to, its tags, its layer links. */
import { hash } from 'node:crypto';
import { blobData, repositoryDirectory } from '#registry/storage/layout.ts';
import { parseDigest, type Digest } from '#registry/oci/digest.ts';
import { isDigestForm, readReferences, type ManifestReferences } from './references.ts';
import { settle, type Task, type Volume } from './volume.ts';
import type { Checkpoint } from './interrupt.ts';

export interface Snapshot {
  name: string;
  /** Revision links by digest. */
  revisions: Map<string, Revision>;
  /** Revisions that were deleted: their directory is there without a link. */
  deleted: Set<string>;
  /** Tag to the digest that it points to; `undefined` when its link can't be read. */
  tags: Map<string, string | undefined>;
  /** Digests that have a directory below `_layers`; with or without a link. */
  layers: string[];
  /** Layer links that hold another digest than their own: distribution's way to keep a sha512 blob. */
  aliases: Map<string, string>;
  /** A link could not be read, so what it keeps alive is unknown. */
  uncertain: boolean;
  problems: Problem[];
}

export interface Revision {
  modifiedMs: number;
  /** Bytes of the manifest. */
  size: number;
  /** `missing`: no content at all. `unreadable`: content that is damaged, or that could not be read. */
  content: ManifestReferences | 'missing' | 'unreadable';
}

/** Something that a person should know; it never stops a collection. */
export interface Problem {
  repository?: string;
  /** A digest, a tag or a path. */
  subject: string;
  message: string;
}

export function* readSnapshot(volume: Volume, name: string, checkpoint?: Checkpoint): Task<Snapshot> {
  const snapshot: Snapshot = {
    name,
    revisions: new Map(),
    deleted: new Set(),
    tags: new Map(),
    layers: [],
    aliases: new Map(),
    uncertain: false,
    problems: [],
  };
  yield* readTags(volume, snapshot, checkpoint);
  yield* readRevisions(volume, snapshot, checkpoint);
  yield* readLayers(volume, snapshot);
  return snapshot;
}

function* readRevisions(volume: Volume, snapshot: Snapshot, checkpoint?: Checkpoint): Task<void> {
  const root = `${repositoryDirectory(snapshot.name)}/_manifests/revisions`;
  for (const { digest, directory } of yield* digestDirectories(volume, root)) {
    yield* settle(checkpoint?.());
    const link = yield* settle(volume.stat(`${directory}/link`));
    if (!link) snapshot.deleted.add(digest);
    else snapshot.revisions.set(digest, yield* readRevision(volume, snapshot, digest, link.modifiedMs));
  }
}

function* readRevision(volume: Volume, snapshot: Snapshot, digest: string, modifiedMs: number): Task<Revision> {
  const report = (message: string): void => {
    snapshot.problems.push({ repository: snapshot.name, subject: digest, message });
  };
  let bytes: Uint8Array | undefined;
  try {
    bytes = yield* settle(volume.read(blobData(digest as Digest)));
  } catch (error) {
    report(`the manifest can't be read: ${(error as Error).message}`);
    return { modifiedMs, size: 0, content: 'unreadable' };
  }
  if (!bytes) {
    report('the manifest is listed but its content is missing');
    return { modifiedMs, size: 0, content: 'missing' };
  }
  const content = isIntact(digest, bytes) ? readReferences(bytes) : undefined;
  if (!content) report(`the manifest is damaged (${bytes.length} bytes)`);
  return { modifiedMs, size: bytes.length, content: content ?? 'unreadable' };
}

function isIntact(digest: string, bytes: Uint8Array): boolean {
  const [algorithm = '', encoded] = digest.split(':');
  return parseDigest(digest) === undefined || hash(algorithm, bytes, 'hex') === encoded;
}

function* readTags(volume: Volume, snapshot: Snapshot, checkpoint?: Checkpoint): Task<void> {
  const root = `${repositoryDirectory(snapshot.name)}/_manifests/tags`;
  for (const tag of (yield* settle(volume.list(root))) ?? []) {
    yield* settle(checkpoint?.());
    const link = yield* readLink(volume, snapshot, `${root}/${tag}/current/link`);
    // A tag directory without a link was interrupted in its making or its removal: no tag.
    if (link !== missing) snapshot.tags.set(tag, link);
  }
}

function* readLayers(volume: Volume, snapshot: Snapshot): Task<void> {
  const root = `${repositoryDirectory(snapshot.name)}/_layers`;
  for (const { digest, directory } of yield* digestDirectories(volume, root)) {
    snapshot.layers.push(digest);
    // A sha256 link always holds its own digest; reading all of them would double the cost of a mark.
    if (digest.startsWith('sha256:')) continue;
    const link = yield* readLink(volume, snapshot, `${directory}/link`);
    if (link && link !== missing && link !== digest) snapshot.aliases.set(digest, link);
  }
}

/** No link at all, as against one that says nothing. */
const missing = Symbol('missing');

function* readLink(volume: Volume, snapshot: Snapshot, path: string): Task<string | typeof missing | undefined> {
  let message = 'the link holds no digest';
  try {
    const bytes = yield* settle(volume.read(path));
    if (!bytes) return missing;
    const text = new TextDecoder().decode(bytes);
    if (isDigestForm(text)) return text;
  } catch (error) {
    message = `the link can't be read: ${(error as Error).message}`;
  }
  snapshot.uncertain = true;
  snapshot.problems.push({ repository: snapshot.name, subject: path, message });
  return undefined;
}

/** `<root>/<algorithm>/<encoded>` as digests. */
export function* digestDirectories(volume: Volume, root: string): Task<{ digest: string; directory: string }[]> {
  const found: { digest: string; directory: string }[] = [];
  for (const algorithm of (yield* settle(volume.list(root))) ?? []) {
    for (const encoded of (yield* settle(volume.list(`${root}/${algorithm}`))) ?? []) {
      const digest = `${algorithm}:${encoded}`;
      if (isDigestForm(digest)) found.push({ digest, directory: `${root}/${algorithm}/${encoded}` });
    }
  }
  return found;
}
