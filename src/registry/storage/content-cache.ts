import { hash } from 'node:crypto';
import { digestAlgorithm, digestEncoded, type Digest } from '#registry/oci/digest.ts';
import { largestManifest, storedMediaType } from '#registry/oci/manifest.ts';
import type { Logger } from '#shared/logger.ts';
import type { ByteCache } from './byte-cache.ts';
import { isSameFile, type FileInfo, type StorageDriver } from './driver.ts';
import { blobData } from './layout.ts';
import type { StatedSizes } from './stated-sizes.ts';
import type { BlobReader, StoredManifest } from './store.ts';

/** Content that never changes, read once, checked against its digest, and kept in memory while there is room. */
export interface ContentCache {
  /** `undefined` when it is missing or not what its digest says (logged). */
  manifest(digest: Digest): Promise<StoredManifest | undefined>;
  /** A blob of at most {@link smallBlobBytes}; `info` is that of its file as it is now. */
  smallBlob(digest: Digest, info: FileInfo): Promise<BlobReader | undefined>;
  /** The next look goes to the storage. */
  forget(digest: Digest): void;
}

export type CachedContent =
  | { kind: 'manifest'; manifest: StoredManifest }
  | { kind: 'blob'; info: FileInfo; reader: BlobReader };

export const smallBlobBytes = 64 * 1024;

/** Bytes of an entry beside its content. */
const entryBytes = 600;

export function createContentCache(
  driver: StorageDriver,
  cache: ByteCache<CachedContent>,
  sizes: StatedSizes,
  logger: Logger,
): ContentCache {
  /** Anything that a crash of another registry truncated, or a disk garbled, is as good as missing: a push heals it. */
  async function readVerified(digest: Digest): Promise<{ bytes: Buffer; info: FileInfo } | undefined> {
    const content = await driver.getContent(blobData(digest));
    if (!content) return undefined;
    if (hash(digestAlgorithm(digest), content.bytes, 'hex') === digestEncoded(digest)) return content;
    logger.error({ digest, bytes: content.bytes.byteLength }, 'stored content is corrupt and is treated as missing');
    return undefined;
  }

  async function manifest(digest: Digest): Promise<StoredManifest | undefined> {
    const key = manifestKey(digest);
    const cached = cache.get(key);
    if (cached?.kind === 'manifest') return cached.manifest;
    const info = await driver.stat(blobData(digest));
    if (!info || info.size > largestManifest) return undefined;
    const content = await readVerified(digest);
    if (!content) return undefined;
    const mediaType = storedMediaType(content.bytes);
    if (mediaType === undefined) {
      logger.error({ digest }, 'a manifest link points to content that is no manifest');
      return undefined;
    }
    sizes.learn(content.bytes);
    const manifest = { digest, mediaType, bytes: content.bytes };
    cache.set(key, { kind: 'manifest', manifest }, content.bytes.byteLength + entryBytes);
    return manifest;
  }

  async function smallBlob(digest: Digest, info: FileInfo): Promise<BlobReader | undefined> {
    const cached = cache.get(digest);
    if (cached?.kind === 'blob' && isSameFile(cached.info, info)) return cached.reader;
    const content = await readVerified(digest);
    if (!content) return undefined;
    const reader = memoryReader(digest, content.bytes);
    cache.set(digest, { kind: 'blob', info: content.info, reader }, content.bytes.byteLength + entryBytes);
    return reader;
  }

  function forget(digest: Digest): void {
    cache.delete(digest);
    cache.delete(manifestKey(digest));
  }

  return { manifest, smallBlob, forget };
}

function manifestKey(digest: Digest): string {
  return `manifest ${digest}`;
}

/** Without state, so that one serves all requests. */
function memoryReader(digest: Digest, content: Buffer): BlobReader {
  return {
    digest,
    size: content.byteLength,
    content,
    read: async (into, position) => content.copy(into, 0, Math.min(position, content.byteLength)),
    close: async () => {},
  };
}
