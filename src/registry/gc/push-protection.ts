import { blobData, layerLink, revisionLink } from '#registry/storage/layout.ts';
import { digestAlgorithm, parseDigest, type Digest } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import type { Protection } from './protection.ts';

/**
 * Protects what a manifest refers to from before it is checked until after the manifest and its tags are written; call
 * the result then. Inside of this process by a hold; against other processes on the same volume by the time of the
 * files, which a collection looks at once more after it has moved something away.
 */
export type ProtectPush = (repository: string, digests: Digest[]) => Promise<() => void>;

export function createPushProtection(driver: StorageDriver, protection: Protection): ProtectPush {
  return async (repository, digests) => {
    const release = await protection.hold(digests);
    try {
      const stored = await Promise.all(digests.map((digest) => storedAs(driver, repository, digest)));
      const files = [...digests, ...stored.filter((digest) => digest !== undefined)].flatMap((digest) => [
        blobData(digest),
        layerLink(repository, digest),
        revisionLink(repository, digest),
      ]);
      await Promise.all(files.map((file) => driver.touch(file)));
    } catch (error) {
      release();
      throw error;
    }
    return release;
  };
}

/** The other digest under which distribution keeps a blob that was pushed as sha512; its link says so. */
async function storedAs(driver: StorageDriver, repository: string, digest: Digest): Promise<Digest | undefined> {
  if (digestAlgorithm(digest) === 'sha256') return undefined;
  const content = await driver.getContent(layerLink(repository, digest));
  const target = content && parseDigest(content.bytes.toString('latin1'));
  return target === digest ? undefined : target;
}
