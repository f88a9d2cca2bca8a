import type { Digest } from '#registry/oci/digest.ts';
import type { DirectoryEntry, Placement } from './driver.ts';
import { link, tagDirectory, tagHistory, tagIndexLink, tagLink, tagsDirectory } from './layout.ts';
import type { StoreContext } from './store-context.ts';
import type { TagCondition, TagConflict, TagStore } from './store.ts';
import { workThrough } from './work-through.ts';

/** Tags looked at a time. */
const width = 16;

/** The history goes first: by it the tags of a manifest are found. */
export interface TagPlacements {
  history: Placement;
  current: Placement;
}

/** What the manifests of the repository need of its tags besides. */
export interface RepositoryTags extends TagStore {
  /** Nobody else in this process changes any of the tags until `action` is done. */
  locked<T>(tags: string[], action: () => Promise<T>): Promise<T>;
  /** The first tag that does not meet the condition. */
  conflict(tags: string[], condition: TagCondition): Promise<TagConflict | undefined>;
  /** What makes `tag` point to `digest`: its entry in the history of the tag, and the tag itself. */
  placements(tag: string, digest: Digest): TagPlacements;
  /** Every tag that points to `digest`; the caller holds the lock of the digest, so that no further one can appear. */
  deletePointingTo(digest: Digest): Promise<void>;
}

export function createTagStore(context: StoreContext, repository: string): RepositoryTags {
  const { driver, links, locks } = context;
  const lockOf = (tag: string) => `tag ${repository}:${tag}`;

  /** In the order of their names: two that want the same tags never wait for each other. */
  function locked<T>(tags: string[], action: () => Promise<T>): Promise<T> {
    const inOrder = [...new Set(tags)].sort();
    return inOrder.reduceRight((inner, tag) => () => locks.run(lockOf(tag), inner), action)();
  }

  async function conflict(tags: string[], condition: TagCondition): Promise<TagConflict | undefined> {
    for (const tag of tags) {
      const current = await links.read(tagLink(repository, tag));
      if (!condition(current)) return { tag, current };
    }
    return undefined;
  }

  async function resolve(tag: string): Promise<Digest | undefined> {
    const digest = await links.read(tagLink(repository, tag));
    if (!digest) context.notify((observer) => observer.tagMissed?.(repository, tag));
    return digest;
  }

  async function remove(tag: string): Promise<boolean> {
    const removed = await driver.delete(tagDirectory(repository, tag));
    if (removed) context.notify((observer) => observer.tagDeleted?.(repository, tag));
    return removed;
  }

  /** By its history, which is there before the tag, and spares the reading of its link: of 100,000 tags that takes seconds. One without is somebody's own work. */
  async function mayPointTo(tag: string, digest: Digest): Promise<boolean> {
    if (await driver.stat(tagIndexLink(repository, tag, digest))) return true;
    return !(await driver.stat(tagHistory(repository, tag)));
  }

  async function deletePointingTo(digest: Digest): Promise<void> {
    const visit = async ({ name: tag }: DirectoryEntry) => {
      const link = tagLink(repository, tag);
      if (!(await mayPointTo(tag, digest)) || (await links.read(link)) !== digest) return;
      // Looked at again under the lock: meanwhile the tag may have moved on.
      await locks.run(lockOf(tag), async () => (await links.read(link)) === digest && remove(tag));
    };
    await workThrough((await driver.list(tagsDirectory(repository))) ?? [], { width, visit });
  }

  return {
    resolve,
    locked,
    conflict,
    placements: (tag, digest) => ({
      history: link(tagIndexLink(repository, tag, digest), digest),
      current: link(tagLink(repository, tag), digest),
    }),
    delete: (tag, condition) =>
      context.track(
        locks.run(lockOf(tag), async () => !(condition && (await conflict([tag], condition))) && remove(tag)),
      ),
    deletePointingTo,
  };
}
