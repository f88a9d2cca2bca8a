import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#shared/logger.ts';
import { diskError } from '#test/support/faulty-driver.ts';
import { digestOf, pieces } from '#test/support/stored-content.ts';
import type { StorageDriver } from './driver.ts';
import { createInMemoryDriver } from './drivers/inmemory.ts';
import { blobData, layerLink } from './layout.ts';
import { createRegistryStore } from './registry-store.ts';

const logger = createLogger({ level: 'silent' });
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
  const reopen = () => createRegistryStore({ driver, logger });
  const open = () => reopen().repository('team/app');
  const repository = open();
  const upload = await repository.uploads.create();
  await upload.append(pieces(layer));
  await upload.commit(digest);
  const pushed = manifest(stated);
  await repository.manifests.put(pushed);
  return { driver, reopen, open, repository, pushed: pushed.digest };
}

test('a large blob cut short is missing at the first look after a start, until it is pushed again', async () => {
  for (const look of ['stat', 'open', 'mount'] as const) {
    const { driver, open } = await volumeWith(layer.length);
    await driver.putContent(blobData(digest), layer.subarray(0, 150_000));
    const repository = open();
    assert.equal(await repository.blobs[look](digest), undefined);

    const upload = await repository.uploads.create();
    await upload.append(pieces(layer));
    await upload.commit(digest);
    assert.equal((await repository.blobs.stat(digest))?.size, layer.length);
  }
});

test('nobody mounts from another repository what is cut short there', async () => {
  const { driver, reopen } = await volumeWith(layer.length);
  await driver.putContent(blobData(digest), layer.subarray(0, 150_000));
  assert.equal(await reopen().repository('other').blobs.mount(digest, 'team/app'), undefined);
});

/** A blob with its link, pushed by an earlier process, that no manifest names; `bytes` are what a crash left of it. */
async function unnamed(bytes: Buffer) {
  const driver = createInMemoryDriver();
  await driver.putContent(blobData(digest), bytes);
  await driver.putContent(layerLink('team/app', digest), Buffer.from(digest));
  const opened: string[] = [];
  const open: StorageDriver['open'] = async (path) => {
    opened.push(path);
    return driver.open(path);
  };
  return { opened, store: createRegistryStore({ driver: { ...driver, open }, logger }) };
}

test('a blob cut short that no manifest names is promised to nobody, and a push heals it', async () => {
  const { store } = await unnamed(layer.subarray(0, 150_000));
  const repository = store.repository('team/app');
  assert.equal(await repository.blobs.stat(digest), undefined);
  assert.equal(await store.repository('other').blobs.mount(digest), undefined, 'from whichever has it');
  assert.equal(await store.repository('other').blobs.mount(digest, 'team/app'), undefined);
  assert.equal(await repository.blobs.open(digest), undefined, 'since its look is known');

  const upload = await repository.uploads.create();
  await upload.append(pieces(layer));
  await upload.commit(digest);
  assert.ok(await repository.blobs.stat(digest));
  assert.ok(await store.repository('other').blobs.mount(digest));
});

test('a blob that no manifest names is hashed once, and not at all when it was pushed here', async () => {
  const { store, opened } = await unnamed(layer);
  const { blobs } = store.repository('team/app');
  await Promise.all([blobs.stat(digest), store.repository('other').blobs.mount(digest), blobs.stat(digest)]);
  assert.deepEqual(opened, [blobData(digest)]);

  const other = Buffer.alloc(200_000, 'other');
  const upload = await store.repository('team/app').uploads.create();
  await upload.append(pieces(other));
  await upload.commit(digestOf(other));
  assert.ok(await blobs.stat(digestOf(other)));
  assert.deepEqual(opened, [blobData(digest)]);
});

test('the manifests of a repository are read once, by the first request for a large blob alone', async () => {
  const { driver, pushed } = await volumeWith(layer.length);
  const read: string[] = [];
  const getContent: StorageDriver['getContent'] = async (path) => {
    read.push(path);
    return driver.getContent(path);
  };
  const { blobs } = createRegistryStore({ driver: { ...driver, getContent }, logger }).repository('team/app');
  assert.deepEqual(read, []);
  await Promise.all([blobs.stat(digest), blobs.stat(digest)]);
  await blobs.stat(digest);
  assert.deepEqual(read, [blobData(pushed)]);
});

test('a manifest that the disk does not give, or that lost its data, takes nothing away', async () => {
  const { driver, pushed, open } = await volumeWith(layer.length);
  const getContent: StorageDriver['getContent'] = async (path) => {
    if (path === blobData(pushed)) throw diskError('EIO');
    return driver.getContent(path);
  };
  const store = createRegistryStore({ driver: { ...driver, getContent }, logger });
  assert.ok(await store.repository('team/app').blobs.stat(digest));
  await driver.delete(blobData(pushed));
  assert.ok(await open().blobs.stat(digest));
});

test('a repository that can not be listed is asked for again', async () => {
  const { driver } = await volumeWith(layer.length);
  let failures = 1;
  const list: StorageDriver['list'] = async (path) => {
    if (failures-- > 0) throw diskError('EIO');
    return driver.list(path);
  };
  const { blobs } = createRegistryStore({ driver: { ...driver, list }, logger }).repository('team/app');
  await assert.rejects(blobs.stat(digest), { code: 'EIO' });
  assert.ok(await blobs.stat(digest));
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
