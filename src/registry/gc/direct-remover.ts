import { blobData, repositoryDirectory, repositoriesRoot, tagDirectory } from '#registry/storage/layout.ts';
import type { Digest } from '#registry/oci/digest.ts';
import { dirname } from 'node:path';
import { layerDirectory, revisionDirectory, tagHistoryDirectory } from './tree-paths.ts';
import type { DeadManifest } from './plan.ts';
import { settle, type Task, type Volume } from './volume.ts';
import type { Remover } from './sweep.ts';

/**
 * Removes from the tree itself: for `registry garbage-collect`, which distribution's users run while nobody pushes. What
 * protects a registry that does take pushes meanwhile is the minimum age, and that a blob or a manifest is looked at once
 * more right before it goes.
 */
export function directRemover(volume: Volume): Remover {
  return {
    tag: (repository, { name }) => settle(volume.removeTree(tagDirectory(repository, name))),
    manifest: (repository, manifest) => removeManifest(volume, repository, manifest),
    layer: (repository, { digest }) => removeFileAndDirectory(volume, layerDirectory(repository, digest), 'link'),
    blob: (blob) => removeBlob(volume, blob.digest, blob.modifiedMs),
    emptyDirectory: ({ path }) => settle(volume.removeEmpty(path)),
    repository: (name) => removeEmptyRepository(volume, name),
  };
}

function* removeManifest(
  volume: Volume,
  repository: string,
  { digest, modifiedMs, formerTags }: DeadManifest,
): Task<boolean> {
  const directory = revisionDirectory(repository, digest);
  const link = yield* settle(volume.stat(`${directory}/link`));
  if (!link || link.modifiedMs !== modifiedMs) return false;
  const removed = yield* removeFileAndDirectory(volume, directory, 'link');
  for (const tag of formerTags) {
    yield* removeFileAndDirectory(volume, tagHistoryDirectory(repository, tag, digest), 'link');
  }
  return removed;
}

function* removeBlob(volume: Volume, digest: string, modifiedMs: number): Task<boolean> {
  const path = blobData(digest as Digest);
  const state = yield* settle(volume.stat(path));
  if (!state || state.modifiedMs !== modifiedMs) return false;
  return yield* removeFileAndDirectory(volume, dirname(path), 'data');
}

function* removeFileAndDirectory(volume: Volume, directory: string, file: string): Task<boolean> {
  const removed = yield* settle(volume.unlink(`${directory}/${file}`));
  yield* settle(volume.removeEmpty(directory));
  return removed;
}

/**
 * Takes empty directories away from the bottom up, and above the repository as far as they are empty. Each step fails
 * harmlessly when a push has put something there.
 */
export function* removeEmptyRepository(volume: Volume, name: string): Task<boolean> {
  const directory = repositoryDirectory(name);
  for (const internal of ['_manifests', '_layers', '_uploads']) {
    yield* removeEmptyTree(volume, `${directory}/${internal}`);
  }
  const left = (yield* settle(volume.list(directory))) ?? [];
  for (let at = directory; at !== repositoriesRoot; at = dirname(at)) {
    if (!(yield* settle(volume.removeEmpty(at)))) break;
  }
  return !left.some((entry) => entry.startsWith('_'));
}

function* removeEmptyTree(volume: Volume, directory: string): Task<void> {
  for (const name of (yield* settle(volume.list(directory))) ?? [])
    yield* removeEmptyTree(volume, `${directory}/${name}`);
  yield* settle(volume.removeEmpty(directory));
}
