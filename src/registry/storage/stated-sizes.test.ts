import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#shared/logger.ts';
import { digestOf, pieces } from '#test/support/stored-content.ts';
import { createInMemoryDriver } from './drivers/inmemory.ts';
import { blobData } from './layout.ts';
import { createRegistryStore } from './registry-store.ts';

const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const layer = Buffer.alloc(200_000, 'layer');
const digest = digestOf(layer);

function manifest(size: number) {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('{}'), size: 2 };
  const layers = [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size }];
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  return { digest: digestOf(bytes), mediaType, bytes };
}

async function volumeWith(stated: number) {
  const driver = createInMemoryDriver();
  const open = () => createRegistryStore({ driver, logger: createLogger({ level: 'silent' }) }).repository('team/app');
  const repository = open();
  const upload = await repository.uploads.create();
  await upload.append(pieces(layer));
  await upload.commit(digest);
  const pushed = manifest(stated);
  await repository.manifests.put(pushed);
  return { driver, open, repository, pushed: pushed.digest };
}

test('a large blob cut short is missing as soon as its manifest has been read, until it is pushed again', async () => {
  const { driver, open, pushed } = await volumeWith(layer.length);
  await driver.putContent(blobData(digest), layer.subarray(0, 150_000));
  const repository = open();
  assert.ok(await repository.blobs.stat(digest), 'nothing is known of its size yet');
  await repository.manifests.get(pushed);
  assert.equal(await repository.blobs.stat(digest), undefined);
  assert.equal(await repository.blobs.open(digest), undefined);
  assert.equal(await repository.blobs.mount(digest), undefined);

  const upload = await repository.uploads.create();
  await upload.append(pieces(layer));
  await upload.commit(digest);
  assert.equal((await repository.blobs.stat(digest))?.size, layer.length);
});

test('a manifest that states a wrong size takes nothing away', async () => {
  const { repository } = await volumeWith(layer.length - 1);
  assert.equal((await repository.blobs.stat(digest))?.size, layer.length);
  const reader = await repository.blobs.open(digest);
  assert.equal(reader?.size, layer.length);
  await reader?.close();
});

test('a manifest that nobody can read states nothing', async () => {
  const { repository } = await volumeWith(layer.length);
  const bytes = Buffer.from('{"schemaVersion":1}');
  await repository.manifests.put({ digest: digestOf(bytes), mediaType, bytes });
  assert.ok(await repository.blobs.stat(digest));
});
