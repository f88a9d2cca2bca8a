import { blobData, layerLink, revisionLink } from '#registry/storage/layout.ts';
import type { Digest } from '#registry/oci/digest.ts';
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
    const files = digests.flatMap((digest) => [
      blobData(digest),
      layerLink(repository, digest),
      revisionLink(repository, digest),
    ]);
    try {
      await Promise.all(files.map((file) => driver.touch(file)));
    } catch (error) {
      release();
      throw error;
    }
    return release;
  };
}
