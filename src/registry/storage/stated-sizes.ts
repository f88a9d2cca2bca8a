import { digestAlgorithm, type Digest } from '#registry/oci/digest.ts';
import { parseManifest, type Descriptor } from '#registry/oci/manifest.ts';
import type { Logger } from '#shared/logger.ts';
import { DigestTable } from './digest-table.ts';
import { isSameFile, type FileInfo, type StorageDriver } from './driver.ts';
import { blobData } from './layout.ts';
import { createManifestReadings } from './manifest-readings.ts';
import { hashFile } from './running-hash.ts';

/**
 * Large content is not read before it is served, so only its size can show at once that another registry's crash cut it
 * short. What its size must be, manifests state. They are read when the first large blob of a repository is asked for
 * whose size none has stated yet, once, so that no order of requests gets bytes that are cut short: a manifest costs about
 * 0.1 ms then, a blob 32 to 64 bytes of memory from then on.
 */
export interface StatedSizes {
  /** Remembers what a manifest says of its blobs. */
  learn(manifest: Uint8Array): void;
  /**
   * Whether the file can be served to those who ask for it in this repository. A size that is not the stated one is
   * settled by hashing the file, once: the manifest may be wrong, and then it must not make a good blob disappear.
   */
  isSound(repository: string, digest: Digest, info: FileInfo): Promise<boolean>;
}

interface Finding {
  info: FileInfo;
  sound: Promise<boolean>;
}

/** Findings that are remembered, the latest: of blobs whose size is not the stated one, so there are few. */
const rememberedFindings = 20_000;

export function createStatedSizes(driver: StorageDriver, logger: Logger): StatedSizes {
  const sizes = new DigestTable();
  const findings = new Map<Digest, Finding>();
  const manifests = createManifestReadings({ driver, logger, show: learn });

  function learn(manifest: Uint8Array): void {
    for (const { digest, size } of blobsOf(manifest)) sizes.set(digest, size);
  }

  async function hash(digest: Digest, info: FileInfo): Promise<boolean> {
    const found = await hashFile(driver, blobData(digest), digestAlgorithm(digest));
    const sound = found?.digest() === digest;
    const stated = sizes.get(digest);
    if (sound) logger.warn({ digest, stated, bytes: info.size }, 'a manifest states a wrong size of a blob');
    else logger.error({ digest, stated, bytes: info.size }, 'stored blob is corrupt and is treated as missing');
    return sound;
  }

  async function settle(digest: Digest, info: FileInfo): Promise<boolean> {
    const known = findings.get(digest);
    if (known && isSameFile(known.info, info)) return known.sound;
    const sound = hash(digest, info);
    keep(findings, digest, { info, sound });
    sound.catch(() => findings.delete(digest));
    return sound;
  }

  return {
    learn,
    async isSound(repository, digest, info) {
      if (sizes.get(digest) === undefined) await manifests.read(repository);
      const stated = sizes.get(digest);
      return stated === undefined || stated === info.size || settle(digest, info);
    },
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
