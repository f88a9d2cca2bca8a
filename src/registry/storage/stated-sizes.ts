import { digestAlgorithm, type Digest } from '#registry/oci/digest.ts';
import { parseManifest, type Descriptor } from '#registry/oci/manifest.ts';
import type { Logger } from '#shared/logger.ts';
import { DigestTable } from './digest-table.ts';
import { isSameFile, type FileInfo, type StorageDriver } from './driver.ts';
import { blobData } from './layout.ts';
import { createManifestReadings } from './manifest-readings.ts';
import { hashFile } from './running-hash.ts';
import type { StoreObserver } from './store.ts';

/**
 * Large content is not read before it is served, so only its size can show at once that another registry's crash cut it
 * short. What its size must be, manifests state, and every push of it proves. Manifests are read when the first large blob
 * of a repository is asked for whose size is not known yet, once, so that no order of requests gets bytes that are cut
 * short: a manifest costs about 0.1 ms then, a blob 32 to 64 bytes of memory from then on.
 */
export interface StatedSizes extends Required<Pick<StoreObserver, 'blobCommitted' | 'manifestPut'>> {
  /** Remembers what a manifest says of its blobs. */
  learn(manifest: Uint8Array): void;
  /**
   * Whether nothing is known against the file: enough for those who will look at what they get. A size that is not the stated
   * one is settled by hashing the file, once: the manifest may be wrong, and then it must not make a good blob disappear.
   */
  isServable(repository: string, digest: Digest, info: FileInfo): Promise<boolean>;
  /**
   * Whether the file is whole: for those who will not send it because it is here. A size that nobody has stated is settled
   * by hashing, too; that is a blob which an earlier process took and no manifest of the repository names.
   */
  isWhole(repository: string, digest: Digest, info: FileInfo): Promise<boolean>;
}

interface Finding {
  info: FileInfo;
  sound: Promise<boolean>;
}

/** Findings that are remembered, the latest: few blobs have a size that is not the stated one, or that nobody states. */
const rememberedFindings = 20_000;

export function createStatedSizes(driver: StorageDriver, logger: Logger): StatedSizes {
  const sizes = new DigestTable();
  const findings = new Map<Digest, Finding>();
  const manifests = createManifestReadings({ driver, logger, show: learn });

  /** What is known already has been proven, or will be as soon as it turns out to be wrong. */
  function learn(manifest: Uint8Array): void {
    for (const { digest, size } of blobsOf(manifest)) if (sizes.get(digest) === undefined) sizes.set(digest, size);
  }

  async function known(repository: string, digest: Digest): Promise<number | undefined> {
    if (sizes.get(digest) === undefined) await manifests.read(repository);
    return sizes.get(digest);
  }

  async function hash(digest: Digest, info: FileInfo): Promise<boolean> {
    const found = await hashFile(driver, blobData(digest), digestAlgorithm(digest));
    const stated = sizes.get(digest);
    if (found?.digest() === digest) {
      if (stated !== undefined)
        logger.warn({ digest, stated, bytes: found.bytes }, 'a wrong size of a blob was stated');
      sizes.set(digest, found.bytes);
      return found.bytes === info.size;
    }
    logger.error({ digest, stated, bytes: info.size }, 'stored blob is corrupt and is treated as missing');
    return false;
  }

  async function settle(digest: Digest, info: FileInfo): Promise<boolean> {
    const earlier = findings.get(digest);
    if (earlier && isSameFile(earlier.info, info)) return earlier.sound;
    const sound = hash(digest, info);
    keep(findings, digest, { info, sound });
    sound.catch(() => findings.delete(digest));
    return sound;
  }

  return {
    learn,
    blobCommitted: (_, { digest, size }) => void sizes.set(digest, size),
    manifestPut: (_, { bytes }) => learn(bytes),
    async isServable(repository, digest, info) {
      const size = await known(repository, digest);
      const isUnknown = size === undefined && !findings.has(digest);
      return isUnknown || size === info.size || settle(digest, info);
    },
    isWhole: async (repository, digest, info) =>
      (await known(repository, digest)) === info.size || settle(digest, info),
  };
}

function blobsOf(manifest: Uint8Array): Descriptor[] {
  try {
    const { config, layers } = parseManifest(manifest);
    return config ? [config, ...layers] : layers;
  } catch {
    return [];
  }
}

function keep<V>(map: Map<Digest, V>, digest: Digest, value: V): void {
  map.delete(digest);
  map.set(digest, value);
  if (map.size <= rememberedFindings) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
