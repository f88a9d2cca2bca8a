import { isRepositoryName } from '#registry/oci/reference.ts';
import type { StorageDriver } from './driver.ts';
import { internalNames, repositoriesRoot } from './layout.ts';
import { workThrough } from './work-through.ts';

export interface FoundRepository {
  name: string;
  /** Distribution's sign of a repository; without it there are only blobs or uploads. */
  hasManifests: boolean;
  hasUploads: boolean;
}

export interface RepositoryWalk {
  signal: AbortSignal;
  visit: (found: FoundRepository) => Promise<void>;
  /** Told of a directory that can't be read, or whose visit failed: that must not hide all the others. */
  failed: (name: string, error: unknown) => void;
}

/** Directories read at a time. */
const width = 16;

/**
 * Shows every directory that holds something internal (`_manifests`, `_layers`, `_uploads`), in no order. `a` and `a/b`
 * may both be repositories, so everything that is not internal is gone into. Rejects when the directory of all can't be
 * read. Source: distribution's catalog.go.
 */
export async function walkRepositories(
  driver: StorageDriver,
  { signal, visit, failed }: RepositoryWalk,
): Promise<void> {
  async function look(name: string, add: (name: string) => void): Promise<void> {
    const entries = (await driver.list(name === '' ? repositoriesRoot : `${repositoriesRoot}/${name}`)) ?? [];
    const names = entries.filter((entry) => entry.isDirectory).map((entry) => entry.name);
    for (const child of names) {
      const path = name === '' ? child : `${name}/${child}`;
      if (isRepositoryName(path)) add(path);
    }
    const found = {
      name,
      hasManifests: names.includes(internalNames.manifests),
      hasUploads: names.includes(internalNames.uploads),
    };
    if (name !== '' && names.some((child) => child.startsWith('_'))) await visit(found);
  }

  await workThrough([''], {
    width,
    signal,
    async visit(name, add) {
      try {
        await look(name, add);
      } catch (error) {
        if (name === '') throw error;
        failed(name, error);
      }
    },
  });
}
