import type { Digest } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { blobsRoot, digestOfDirectory } from '#registry/storage/layout.ts';

/** Every digest that has a directory, in order; in memory are the names below one prefix, a 256th of all. */
export async function* storedDigests(driver: StorageDriver): AsyncGenerator<Digest> {
  for (const algorithm of await names(driver, blobsRoot)) {
    for (const prefix of await names(driver, `${blobsRoot}/${algorithm}`)) {
      for (const hex of await names(driver, `${blobsRoot}/${algorithm}/${prefix}`)) {
        const digest = digestOfDirectory(algorithm, hex);
        if (digest) yield digest;
      }
    }
  }
}

async function names(driver: StorageDriver, directory: string): Promise<string[]> {
  const entries = (await driver.list(directory)) ?? [];
  return entries.map(({ name }) => name).sort();
}
