import type { Digest } from '#registry/oci/digest.ts';
import { blobData, revisionLink } from './layout.ts';
import { writeLink, type StoreContext } from './store-context.ts';
import type { ManifestStore, StoredManifest } from './store.ts';
import type { RepositoryTags } from './tag-store.ts';

export function createManifestStore(context: StoreContext, repository: string, tags: RepositoryTags): ManifestStore {
  const { driver, contents, sizes, locks } = context;

  async function get(digest: Digest): Promise<StoredManifest | undefined> {
    // That the link is there says it all: its content is the digest of its path.
    return (await driver.stat(revisionLink(repository, digest))) && contents.manifest(digest);
  }

  /** Data before link: a crash in between leaves content that nobody sees. Content that is there is written again, which heals it. */
  async function put(manifest: StoredManifest): Promise<void> {
    const { digest, bytes } = manifest;
    await locks.run(digest, async () => {
      await driver.putContent(blobData(digest), bytes);
      await writeLink(context, revisionLink(repository, digest), digest);
      sizes.learn(bytes);
      context.notify((observer) => observer.manifestPut?.(repository, manifest));
    });
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
    put: (manifest) => context.track(put(manifest)),
    delete: (digest) => context.track(remove(digest)),
  };
}
