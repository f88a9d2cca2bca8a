import type { Digest } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { layerLink, revisionLink } from '#registry/storage/layout.ts';
import { walkRepositories } from '#registry/storage/repository-walk.ts';

/** The repositories that link a blob, as a layer or as a manifest, in order, as far as they can be read. Two looks at each one on the volume. */
export async function repositoriesOf(driver: StorageDriver, digest: Digest, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  const visit = async ({ name }: { name: string }) => {
    const links = [layerLink(name, digest), revisionLink(name, digest)];
    for (const link of links) {
      if (!(await driver.stat(link))) continue;
      found.push(name);
      return;
    }
  };
  await walkRepositories(driver, { signal, visit, failed: () => {} });
  return found.sort();
}
