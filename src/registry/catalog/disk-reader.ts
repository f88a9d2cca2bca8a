import type { Digest } from '#registry/oci/digest.ts';
import { isTag } from '#registry/oci/reference.ts';
import { isSameFile, isSettled, type FileInfo, type StorageDriver } from '#registry/storage/driver.ts';
import * as layout from '#registry/storage/layout.ts';
import { workThrough } from '#registry/storage/work-through.ts';
import type { RepositoryListing } from './repository-index.ts';

/** Looks at files at a time. */
const width = 16;

export interface ReadOptions {
  /** Tags whose links need no look, because they have been seen before. */
  isKnown: (tag: string) => boolean;
  withManifests: boolean;
}

/** `undefined` when the disk knows no such repository. */
export async function readRepository(
  driver: StorageDriver,
  name: string,
  { isKnown, withManifests }: ReadOptions,
): Promise<RepositoryListing | undefined> {
  if (!(await driver.stat(layout.manifestsDirectory(name)))) return undefined;
  const info = await driver.stat(layout.tagsDirectory(name));
  const { tags, unlinked } = await readTags(driver, name, isKnown);
  const isTelling = info && isSettled(driver, info) && unlinked.length <= mostUnlinked;
  const found = { tags, unlinked, tagsInfo: isTelling ? info : undefined };
  return withManifests ? { ...found, manifests: await readRevisions(driver, name) } : found;
}

/** Directories of tags without a link that are looked at each time; with more the tags are rather read again. */
const mostUnlinked = 100;

/** In the middle of a push, or after a crash in there, the directory of a tag is there without its link. */
async function readTags(
  driver: StorageDriver,
  name: string,
  isKnown: (tag: string) => boolean,
): Promise<Pick<RepositoryListing, 'tags' | 'unlinked'>> {
  const entries = (await driver.list(layout.tagsDirectory(name))) ?? [];
  const names = entries.filter((entry) => entry.isDirectory && isTag(entry.name)).map((entry) => entry.name);
  const tags = names.filter(isKnown);
  const unlinked: string[] = [];
  const visit = async (tag: string) => {
    const list = (await driver.stat(layout.tagLink(name, tag))) ? tags : unlinked;
    list.push(tag);
  };
  const unknown = names.filter((tag) => !isKnown(tag));
  await workThrough(unknown, { width, visit });
  return { tags, unlinked };
}

async function readRevisions(driver: StorageDriver, name: string): Promise<Digest[]> {
  const digests: Digest[] = [];
  const visit = async (digest: Digest) => {
    if (await driver.stat(layout.revisionLink(name, digest))) digests.push(digest);
  };
  await workThrough((await listRevisions(driver, name)).digests, { width, visit });
  return digests;
}

/** Directories as they looked before they were listed, by path. */
export type Looks = ReadonlyMap<string, FileInfo>;

export interface RevisionListing {
  /** Those that have a directory: a delete leaves it without its link, and a push puts the link there a moment later. */
  digests: Digest[];
  /** As long as the directories look like that, these are all; absent when a change may not have shown yet. */
  looks: Looks | undefined;
}

export async function listRevisions(driver: StorageDriver, name: string): Promise<RevisionListing> {
  const looks = new Map<string, FileInfo>();
  let isTelling = true;
  const list = async (path: string) => {
    const info = await driver.stat(path);
    if (info) looks.set(path, info);
    isTelling &&= info !== undefined && isSettled(driver, info);
    return (await driver.list(path)) ?? [];
  };
  const digests: Digest[] = [];
  const root = layout.revisionsDirectory(name);
  for (const { name: algorithm } of await list(root)) {
    for (const entry of await list(`${root}/${algorithm}`)) {
      const digest = layout.digestOfDirectory(algorithm, entry.name);
      if (digest) digests.push(digest);
    }
  }
  return { digests, looks: isTelling ? looks : undefined };
}

export async function lookTheSame(driver: StorageDriver, looks: Looks): Promise<boolean> {
  for (const [path, before] of looks) {
    const now = await driver.stat(path);
    if (!now || !isSameFile(before, now)) return false;
  }
  return true;
}

export interface BlobReading {
  signal: AbortSignal;
  show: (digest: Digest, size: number) => void;
  /** Told of a directory that can't be read. */
  failed: (path: string, error: unknown) => void;
}

/** Shows the size of every blob, linked or not. Rejects when the directories of all can't be read. */
export async function readBlobs(driver: StorageDriver, { signal, show, failed }: BlobReading): Promise<void> {
  const prefixes: { algorithm: string; path: string }[] = [];
  for (const { name: algorithm } of (await driver.list(layout.blobsRoot)) ?? []) {
    const entries = (await driver.list(`${layout.blobsRoot}/${algorithm}`)) ?? [];
    prefixes.push(...entries.map(({ name }) => ({ algorithm, path: `${layout.blobsRoot}/${algorithm}/${name}` })));
  }
  const visit = async ({ algorithm, path }: { algorithm: string; path: string }) => {
    try {
      for (const { name: hex } of (await driver.list(path)) ?? []) {
        const digest = layout.digestOfDirectory(algorithm, hex);
        const info = digest && (await driver.stat(layout.blobData(digest)));
        if (info) show(digest, info.size);
      }
    } catch (error) {
      failed(path, error);
    }
  };
  await workThrough(prefixes, { width, signal, visit });
}
