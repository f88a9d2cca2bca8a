import { digestAlgorithm, type Digest } from '#registry/oci/digest.ts';
import { parseManifest, type Descriptor } from '#registry/oci/manifest.ts';
import type { Logger } from '#shared/logger.ts';
import { isSameFile, type FileInfo, type StorageDriver } from './driver.ts';
import { blobData } from './layout.ts';
import { hashFile } from './running-hash.ts';

/**
 * Large content is not read before it is served, so only its size can show at once that another registry's crash cut it
 * short. What its size must be, manifests state.
 */
export interface StatedSizes {
  /** Remembers what a manifest says of its blobs. */
  learn(manifest: Uint8Array): void;
  /**
   * Whether the file can be served. A size that is not the stated one is settled by hashing the file, once: the manifest
   * may be wrong, and then it must not make a good blob disappear.
   */
  isSound(digest: Digest, info: FileInfo): Promise<boolean>;
}

interface Finding {
  info: FileInfo;
  sound: Promise<boolean>;
}

/** Blobs whose stated size is remembered, the latest; about 200 bytes each. */
const remembered = 20_000;

export function createStatedSizes(driver: StorageDriver, logger: Logger): StatedSizes {
  const sizes = new Map<Digest, number>();
  const findings = new Map<Digest, Finding>();

  async function hash(digest: Digest, info: FileInfo): Promise<boolean> {
    const found = await hashFile(driver, blobData(digest), digestAlgorithm(digest));
    const sound = found?.digest() === digest;
    const stated = sizes.get(digest);
    if (sound) logger.warn({ digest, stated, bytes: info.size }, 'a manifest states a wrong size of a blob');
    else logger.error({ digest, stated, bytes: info.size }, 'stored blob is corrupt and is treated as missing');
    return sound;
  }

  return {
    learn(manifest) {
      for (const { digest, size } of blobsOf(manifest)) keep(sizes, digest, size);
    },
    async isSound(digest, info) {
      const stated = sizes.get(digest);
      if (stated === undefined || stated === info.size) return true;
      const known = findings.get(digest);
      if (known && isSameFile(known.info, info)) return known.sound;
      const sound = hash(digest, info);
      keep(findings, digest, { info, sound });
      sound.catch(() => findings.delete(digest));
      return sound;
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
  if (map.size <= remembered) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
