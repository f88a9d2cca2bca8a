/**
 * Removes from a registry that takes pushes. Each thing goes only if nobody in this process holds it or has used it since
 * the mark began. Other processes on the same volume say by a file's time that they use it: what was moved away and
 * turns out to be younger than the mark saw it is put back.
 */
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { blobData } from '#registry/storage/layout.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import type { RegistryStore, StoreObserver } from '#registry/storage/store.ts';
import type { Digest } from '#registry/oci/digest.ts';
import { removeEmptyRepository } from './direct-remover.ts';
import { driverVolume } from './driver-volume.ts';
import { layerDirectory, revisionDirectory, tagHistoryDirectory } from './tree-paths.ts';
import { run, settle, type Task } from './volume.ts';
import type { Remover } from './sweep.ts';
import { tagKey, type Protection } from './protection.ts';
import type { DeadManifest, DeadTag } from './plan.ts';

export interface OnlineRemoverOptions {
  driver: StorageDriver;
  /** Its observers hear of removed tags. */
  store: RegistryStore;
  protection: Protection;
  /** Hears of all else that is removed, before anybody can push it again. */
  observer?: Pick<StoreObserver, 'blobRemoved' | 'manifestDeleted' | 'repositoryRemoved'>;
}

/**
 * Outside of distribution's tree, where no walker of another registry looks. A name in it says when the thing was moved there, and is
 * random besides: in containers the processes of all replicas have the same number.
 */
const trashRoot = '/.registry-operator/trash';

export function onlineRemover({ driver, store, protection, observer }: OnlineRemoverOptions): Remover {
  const volume = driverVolume(driver);

  /** `false` when it is gone already, or was used by another process. The directory goes too, once it is empty. */
  async function takeAway(path: string, modifiedMs: number): Promise<boolean> {
    // What was used long since must not be away even for the moment until it is put back: somebody may pull it.
    const before = await driver.stat(path);
    if (before?.modifiedMs !== modifiedMs) return false;
    const trash = `${trashRoot}/${Date.now()}.${randomUUID()}`;
    if (!(await driver.move(path, trash, { lazily: true }))) return false;
    const info = await driver.stat(trash);
    if (info && info.modifiedMs !== modifiedMs) {
      await driver.move(trash, path);
      return false;
    }
    await driver.delete(trash, { lazily: true });
    await driver.removeEmpty(dirname(path));
    return true;
  }

  const guarded = (keys: string[], removal: () => Promise<boolean>): Task<boolean> =>
    settle(protection.remove(keys, removal));

  /** Its manifest went first; when that is here again, another process has pushed it, with its tag. */
  async function removeTag(repository: string, { name, target }: DeadTag): Promise<boolean> {
    if (await driver.stat(`${revisionDirectory(repository, target)}/link`)) return false;
    return store.repository(repository).tags.delete(name, (current) => current === target);
  }

  /** Not as a client does it, who wants the tags to go along: one that has it now was set by another process since the mark. */
  async function removeManifest(
    repository: string,
    { digest, modifiedMs, formerTags }: DeadManifest,
  ): Promise<boolean> {
    if (!(await takeAway(`${revisionDirectory(repository, digest)}/link`, modifiedMs))) return false;
    observer?.manifestDeleted?.(repository, digest as Digest);
    const histories = formerTags.map((tag) => tagHistoryDirectory(repository, tag, digest));
    for (const directory of histories) await driver.delete(directory, { lazily: true });
    return true;
  }

  async function removeBlob(digest: Digest, modifiedMs: number): Promise<boolean> {
    const removed = await takeAway(blobData(digest), modifiedMs);
    if (removed) observer?.blobRemoved?.(digest);
    return removed;
  }

  async function removeRepository(name: string): Promise<boolean> {
    const removed = await run(removeEmptyRepository(volume, name));
    if (removed) observer?.repositoryRemoved?.(name);
    return removed;
  }

  return {
    tag: (repository, tag) => guarded([tagKey(repository, tag.name)], () => removeTag(repository, tag)),
    manifest: (repository, manifest) => guarded([manifest.digest], () => removeManifest(repository, manifest)),
    layer: (repository, { digest, modifiedMs, keys }) =>
      guarded(keys, () => takeAway(`${layerDirectory(repository, digest)}/link`, modifiedMs)),
    blob: ({ digest, modifiedMs, keys }) => guarded(keys, () => removeBlob(digest as Digest, modifiedMs)),
    emptyDirectory: ({ key, path }) => guarded([key], () => driver.removeEmpty(path)),
    repository: (name) => guarded([name], () => removeRepository(name)),
  };
}

/** Milliseconds; far longer than another process needs to look at what it has moved away, and to put it back. */
const inUseMs = 3_600_000;

/** What a crash in the middle of a removal left: it was garbage. */
export async function emptyTrash(driver: StorageDriver): Promise<void> {
  for (const { name } of (await driver.list(trashRoot)) ?? []) {
    const age = Date.now() - Number.parseInt(name, 10);
    if (!(age < inUseMs)) await driver.delete(`${trashRoot}/${name}`, { lazily: true });
  }
}
