import type { Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { revisionLink, tagDirectory, tagIndexLink, tagLink, tagsDirectory } from './layout.ts';
import { writeLink, type StoreContext } from './store-context.ts';
import type { TagCondition, TagConflict, TagStore } from './store.ts';

export interface RepositoryTags extends TagStore {
  /** Every tag that points to `digest`; the caller holds the lock of the digest, so that no further one can appear. */
  deletePointingTo(digest: Digest): Promise<void>;
}

export function createTagStore(context: StoreContext, repository: string): RepositoryTags {
  const { driver, links, locks } = context;
  const lockOf = (tag: string) => `tag ${repository}:${tag}`;

  /** The history entry, then what the tag points to, as distribution orders it. */
  async function write(tag: string, digest: Digest): Promise<void> {
    await writeLink(context, tagIndexLink(repository, tag, digest), digest);
    await writeLink(context, tagLink(repository, tag), digest);
    context.notify((observer) => observer.tagSet?.(repository, tag, digest));
  }

  /** Under the lock of the digest, so that a manifest which is being deleted does not get a tag that outlives it. */
  async function pointing<T>(tags: string[], digest: Digest, action: () => Promise<T>): Promise<T> {
    return locks.run(digest, async () => {
      if (!(await driver.stat(revisionLink(repository, digest)))) {
        throw new RegistryError('MANIFEST_UNKNOWN', { detail: { name: repository, tags, digest } });
      }
      return locked(tags, action);
    });
  }

  /** In the order of their names: two that want the same tags never wait for each other. */
  function locked<T>(tags: string[], action: () => Promise<T>): Promise<T> {
    const inOrder = [...new Set(tags)].sort();
    return inOrder.reduceRight((inner, tag) => () => locks.run(lockOf(tag), inner), action)();
  }

  async function setIf(tags: string[], digest: Digest, condition: TagCondition): Promise<TagConflict | undefined> {
    return pointing(tags, digest, async () => {
      for (const tag of tags) {
        const current = await links.read(tagLink(repository, tag));
        if (!condition(current)) return { tag, current };
      }
      for (const tag of tags) await write(tag, digest);
      return undefined;
    });
  }

  async function remove(tag: string): Promise<boolean> {
    const removed = await driver.delete(tagDirectory(repository, tag));
    if (removed) context.notify((observer) => observer.tagDeleted?.(repository, tag));
    return removed;
  }

  async function deletePointingTo(digest: Digest): Promise<void> {
    for (const { name: tag } of (await driver.list(tagsDirectory(repository))) ?? []) {
      const link = tagLink(repository, tag);
      if ((await links.read(link)) !== digest) continue;
      // Looked at again under the lock: meanwhile the tag may have moved on.
      await locks.run(lockOf(tag), async () => (await links.read(link)) === digest && remove(tag));
    }
  }

  return {
    resolve: (tag) => links.read(tagLink(repository, tag)),
    set: (tag, digest) => context.track(pointing([tag], digest, () => write(tag, digest))),
    setIf: (tags, digest, condition) => context.track(setIf(tags, digest, condition)),
    delete: (tag) => context.track(locks.run(lockOf(tag), () => remove(tag))),
    deletePointingTo,
  };
}
