import type { Digest } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { blobsRoot, digestOfDirectory } from '#registry/storage/layout.ts';

/** A directory of blobs, `sha256/4f`: what a scrub has done is told in these. */
export type Shelf = string;

export interface DigestWalk {
  /** Leaves out the shelves before this one. */
  from?: Shelf | undefined;
  /** Told of each shelf before its first blob. */
  reached?: ((shelf: Shelf) => Promise<void>) | undefined;
}

/**
 * Every digest that has a directory, in order; in memory are the names on one shelf, a 256th of all. `failed` is told of a
 * shelf that can't be read: those behind it are gone through all the same.
 */
export async function* storedDigests(
  driver: StorageDriver,
  failed: (shelf: Shelf, error: unknown) => void,
  { from = '', reached }: DigestWalk = {},
): AsyncGenerator<Digest> {
  for (const algorithm of await names(driver, blobsRoot)) {
    for (const prefix of await names(driver, `${blobsRoot}/${algorithm}`)) {
      const shelf = `${algorithm}/${prefix}`;
      if (shelf < from) continue;
      await reached?.(shelf);
      const encoded = names(driver, `${blobsRoot}/${shelf}`).catch((error: unknown) => failed(shelf, error));
      for (const hex of (await encoded) ?? []) {
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
