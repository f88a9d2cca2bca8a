import type { Digest } from '#registry/oci/digest.ts';
import { blobData, link, revisionLink } from './layout.ts';
import type { StoreContext } from './store-context.ts';
import type { ManifestStore, PutOptions, StoredManifest, TagConflict } from './store.ts';
import type { RepositoryTags } from './tag-store.ts';

export function createManifestStore(context: StoreContext, repository: string, tags: RepositoryTags): ManifestStore {
  const { driver, contents, locks } = context;

  async function get(digest: Digest): Promise<StoredManifest | undefined> {
    // That the link is there says it all: its content is the digest of its path.
    return (await driver.stat(revisionLink(repository, digest))) && contents.manifest(digest);
  }

  /**
   * Content, link with the history of the tags, tags: a crash in between leaves what nobody sees, or what no tag points to. Content that is there is
   * written again, which heals it.
   */
  async function put(
    manifest: StoredManifest,
    { tags: names = [], condition }: PutOptions,
  ): Promise<TagConflict | undefined> {
    const { digest, bytes } = manifest;
    return locked(digest, names, async () => {
      const conflict = condition && (await tags.conflict(names, condition));
      if (conflict) return conflict;
      const placements = names.map((tag) => tags.placements(tag, digest));
      await driver.publish([
        [{ path: blobData(digest), content: bytes }],
        [link(revisionLink(repository, digest), digest), ...placements.map(({ history }) => history)],
        placements.map(({ current }) => current),
      ]);
      context.notify((observer) => observer.manifestPut?.(repository, manifest));
      for (const tag of names) context.notify((observer) => observer.tagSet?.(repository, tag, digest));
      return undefined;
    });
  }

  /** The digest first, so that a manifest which is being deleted does not get a tag that outlives it. */
  function locked<T>(digest: Digest, names: string[], action: () => Promise<T>): Promise<T> {
    return locks.run(digest, () => tags.locked(names, action));
  }

  /** Tags first: a crash in between leaves a manifest without a tag, not a tag without a manifest. */
  async function remove(digest: Digest): Promise<boolean> {
    return locks.run(digest, async () => {
      if (!(await driver.stat(revisionLink(repository, digest)))) return false;
      await tags.deletePointingTo(digest);
      const removed = await driver.delete(revisionLink(repository, digest));
      if (removed) context.notify((observer) => observer.manifestDeleted?.(repository, digest));
      return removed;
    });
  }

  return {
    get,
    put: (manifest, options = {}) => context.track(put(manifest, options)),
    delete: (digest) => context.track(remove(digest)),
  };
}
