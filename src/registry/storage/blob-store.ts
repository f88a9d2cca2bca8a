import { digestAlgorithm, type Digest } from '#registry/oci/digest.ts';
import { smallBlobBytes } from './content-cache.ts';
import type { FileInfo, FileReader } from './driver.ts';
import { blobData, layerLink, link } from './layout.ts';
import type { StoreContext } from './store-context.ts';
import type { BlobDescriptor, BlobReader, BlobStore } from './store.ts';

export function createBlobStore(context: StoreContext, repository: string): BlobStore {
  const { driver, links, contents, sizes, locks } = context;

  /**
   * The digest under which the data lies. It is the digest itself, except that distribution stores a blob pushed as sha512
   * under its sha256 digest and writes that into the sha512 link.
   */
  async function target(name: string, digest: Digest): Promise<Digest | undefined> {
    const path = layerLink(name, digest);
    if (digestAlgorithm(digest) === 'sha256') return (await driver.stat(path)) ? digest : undefined;
    return (await links.read(path)) ?? ((await driver.stat(path)) ? digest : undefined);
  }

  /**
   * What another registry's crash left empty or cut short is missing to a client that asks before it pushes: its push
   * heals it. Small content is read and checked, once, large content by its size where that is known.
   */
  async function data(name: string, digest: Digest): Promise<FileInfo | undefined> {
    const info = await driver.stat(blobData(digest));
    if (!info) return undefined;
    const sound =
      info.size <= smallBlobBytes ? await contents.smallBlob(digest, info) : await sizes.isWhole(name, digest, info);
    return sound ? info : undefined;
  }

  async function open(digest: Digest): Promise<BlobReader | undefined> {
    const stored = await target(repository, digest);
    const info = stored && (await driver.stat(blobData(stored)));
    if (!info) return undefined;
    if (info.size <= smallBlobBytes) {
      const reader = await contents.smallBlob(stored, info);
      return reader && stored !== digest ? { ...reader, digest } : reader;
    }
    const file = await driver.open(blobData(stored));
    // Looked at after it was opened: what another process has put there in between is another file.
    return file && readerIf(sizes.isServable(repository, stored, file.info), digest, file);
  }

  async function stat(digest: Digest): Promise<BlobDescriptor | undefined> {
    const stored = await target(repository, digest);
    const info = stored && (await data(repository, stored));
    return info && { digest, size: info.size };
  }

  /** Under the lock of the digest, so that a removal can't come between the look and the link. */
  async function mount(digest: Digest, from?: string): Promise<BlobDescriptor | undefined> {
    return locks.run(digest, async () => {
      const stored = from === undefined ? digest : await target(from, digest);
      const info = stored && (await data(from ?? repository, stored));
      if (!info) return undefined;
      const names = new Set([digest, stored]);
      await driver.publish([[...names].map((name) => link(layerLink(repository, name), stored))]);
      const blob = { digest, size: info.size };
      context.notify((observer) => observer.blobCommitted?.(repository, blob));
      return blob;
    });
  }

  async function unlink(digest: Digest): Promise<boolean> {
    return locks.run(digest, async () => {
      const removed = await driver.delete(layerLink(repository, digest));
      if (removed) context.notify((observer) => observer.blobUnlinked?.(repository, digest));
      return removed;
    });
  }

  return {
    stat,
    open,
    mount: (digest, from) => context.track(mount(digest, from)),
    unlink: (digest) => context.track(unlink(digest)),
  };
}

async function readerIf(servable: Promise<boolean>, digest: Digest, file: FileReader): Promise<BlobReader | undefined> {
  let isServable = false;
  try {
    isServable = await servable;
  } finally {
    if (!isServable) await file.close();
  }
  return isServable ? fileReader(digest, file) : undefined;
}

function fileReader(digest: Digest, file: FileReader): BlobReader {
  return {
    digest,
    size: file.info.size,
    read: (into, position) => file.read(into, position),
    close: () => file.close(),
  };
}
