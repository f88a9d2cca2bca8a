import type { Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { revisionLink, tagDirectory, tagIndexLink, tagLink, tagsDirectory } from './layout.ts';
import { writeLink, type StoreContext } from './store-context.ts';
import type { TagStore } from './store.ts';

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
  async function set(tag: string, digest: Digest): Promise<void> {
    await locks.run(digest, async () => {
      if (!(await driver.stat(revisionLink(repository, digest)))) {
        throw new RegistryError('MANIFEST_UNKNOWN', { detail: { name: repository, tag, digest } });
      }
      await locks.run(lockOf(tag), () => write(tag, digest));
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
    set: (tag, digest) => context.track(set(tag, digest)),
    delete: (tag) => context.track(locks.run(lockOf(tag), () => remove(tag))),
    deletePointingTo,
  };
}
