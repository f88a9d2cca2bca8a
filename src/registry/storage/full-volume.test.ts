/** A volume of one MiB, real: what happens when it is full, or read-only, and that all is well again without a restart. */
import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { createLogger } from '#shared/logger.ts';
import { canMount, smallVolume } from '#test/support/small-volume.ts';
import { digestOf, imageManifest, pieces } from '#test/support/stored-content.ts';
import { createFilesystemDriver } from './drivers/filesystem.ts';
import { createRegistryStore } from './registry-store.ts';
import type { RepositoryStore } from './store.ts';

const megabyte = 1024 * 1024;

async function volume(t: TestContext) {
  const mounted = await smallVolume(t, '1m');
  const driver = createFilesystemDriver({ rootDirectory: mounted.folder });
  const store = createRegistryStore({ driver, logger: createLogger({ level: 'silent' }) });
  return { ...mounted, store, repository: store.repository('a') };
}

async function push(repository: RepositoryStore, bytes: Uint8Array | string): Promise<Digest> {
  const upload = await repository.uploads.create();
  await upload.append(pieces(bytes));
  return (await upload.commit(digestOf(bytes))).digest;
}

async function put(repository: RepositoryStore, ...tags: string[]): Promise<Digest> {
  const bytes = imageManifest('{}');
  const digest = digestOf(bytes);
  await repository.manifests.put({ digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes }, { tags });
  return digest;
}

function refusedBecause(folder: string, status: number, reason: RegExp) {
  return (error: unknown) =>
    error instanceof RegistryError &&
    error.code === 'UNAVAILABLE' &&
    error.status === status &&
    error.message.includes(folder) &&
    reason.test(error.message);
}

async function stray(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.filter((file) => file.endsWith('.tmp') || file.includes('/_uploads/'));
}

function onVolume(title: string, check: (fixture: Awaited<ReturnType<typeof volume>>) => Promise<void>): void {
  if (canMount) void test(title, async (t) => check(await volume(t)));
}

onVolume('a blob that does not fit is refused, takes no room, and others still fit', async (fixture) => {
  const { repository, folder, store } = fixture;
  const kept = await push(repository, Buffer.alloc(100_000, 'a'));
  const large = Buffer.alloc(3 * megabyte, 'b');
  await assert.rejects(push(repository, large), refusedBecause(folder, 507, /is full/));
  assert.deepEqual(await stray(folder), []);
  assert.equal(await repository.blobs.stat(digestOf(large)), undefined);
  assert.ok(((await store.space())?.free ?? 0) > megabyte / 2);
  assert.ok(await repository.blobs.stat(kept));
  await push(repository, Buffer.alloc(100_000, 'c'));
});

onVolume('with no room at all every write is refused, and works again when there is some', async (fixture) => {
  const { repository, folder } = fixture;
  const blob = await push(repository, 'blob');
  const manifest = await put(repository);
  const filler = join(folder, 'filler');
  await writeFile(filler, Buffer.alloc(2 * megabyte)).catch(() => {});

  const full = refusedBecause(folder, 507, /is full/);
  await assert.rejects(push(repository, 'another blob'), full);
  await assert.rejects(put(repository, 'v1'), full);
  assert.ok(await repository.blobs.stat(blob));
  assert.ok(await repository.manifests.get(manifest));
  assert.equal(await repository.tags.resolve('v1'), undefined);

  await rm(filler);
  await push(repository, 'another blob');
  await put(repository, 'v1');
  assert.equal(await repository.tags.resolve('v1'), manifest);
  assert.deepEqual(await stray(folder), []);
});

onVolume('a read-only volume serves what it has, says what is wrong, and recovers', async (fixture) => {
  const { repository, folder, remount } = fixture;
  const blob = await push(repository, 'blob');
  await remount('ro');
  await assert.rejects(push(repository, 'another'), refusedBecause(folder, 503, /read-only/));
  await assert.rejects(repository.blobs.unlink(blob), refusedBecause(folder, 503, /read-only/));
  assert.equal((await repository.blobs.open(blob))?.content?.toString(), 'blob');
  await remount('rw');
  await push(repository, 'another');
});
