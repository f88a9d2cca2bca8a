import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import * as layout from '#registry/storage/layout.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import { createLogger } from '#shared/logger.ts';
import { diskError } from '#test/support/faulty-driver.ts';
import { digestOf, imageManifest, pieces } from '#test/support/stored-content.ts';
import type { Catalog } from './catalog.ts';
import { createCatalog } from './create-catalog.ts';

const logger = createLogger({ level: 'silent' });
const never = new AbortController().signal;
const all = { limit: 1000 };

interface Registry {
  catalog: Catalog;
  store: RegistryStore;
}

/** A registry as it starts on what the driver holds. */
function start(driver: StorageDriver): Registry {
  const catalog = createCatalog({ driver, logger });
  return { catalog, store: createRegistryStore({ driver, logger, observers: [catalog] }) };
}

async function built(driver: StorageDriver): Promise<Registry> {
  const registry = start(driver);
  await registry.catalog.build(never);
  return registry;
}

async function pushImage({ store }: Pick<Registry, 'store'>, name: string, ...tags: string[]): Promise<Digest> {
  const repository = store.repository(name);
  const config = await repository.uploads.create();
  await config.append(pieces('{}'));
  await config.commit(digestOf('{}'));
  const bytes = imageManifest('{}', name);
  const digest = digestOf(bytes);
  await repository.manifests.put({ digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes }, { tags });
  return digest;
}

/** What is in memory after all that happened is what a registry that starts anew reads from disk. */
async function assertAgrees(catalog: Catalog, driver: StorageDriver): Promise<void> {
  const { catalog: fresh } = await built(driver);
  assert.deepEqual(catalog.usage(), fresh.usage());
  const { entries } = await fresh.repositories(all);
  assert.deepEqual((await catalog.repositories(all)).entries, entries);
  for (const name of entries) assert.deepEqual(await catalog.tags(name, all), await fresh.tags(name, all));
}

test('an empty volume has nothing', async () => {
  const { catalog } = await built(createInMemoryDriver());
  const nothing = { complete: true, repositories: 0, tags: 0, manifests: 0, blobs: 0, bytes: 0 };
  assert.deepEqual(catalog.usage(), nothing);
  assert.partialDeepStrictEqual(await catalog.repositories(all), { entries: [], more: false });
  assert.equal(await catalog.tags('a', all), undefined);
});

test('pushes and deletes show at once, and each blob counts once', async () => {
  const driver = createInMemoryDriver();
  const { catalog, store } = await built(driver);
  const digest = await pushImage({ store }, 'b', 'v2', 'v1', 'v10');
  await pushImage({ store }, 'a/b', 'latest');
  assert.deepEqual((await catalog.repositories(all)).entries, ['a/b', 'b']);
  assert.partialDeepStrictEqual(await catalog.tags('b', { limit: 2 }), { entries: ['v1', 'v10'], more: true });
  assert.partialDeepStrictEqual(await catalog.tags('b', { after: 'v10', limit: 2 }), { entries: ['v2'], more: false });
  const { bytes, ...counts } = catalog.usage();
  assert.deepEqual(counts, { complete: true, repositories: 2, tags: 4, manifests: 2, blobs: 3 });
  assert.equal(bytes, 2 + imageManifest('{}', 'b').byteLength + imageManifest('{}', 'a/b').byteLength);
  await assertAgrees(catalog, driver);

  await store.repository('b').tags.delete('v2');
  assert.deepEqual((await catalog.tags('b', all))?.entries, ['v1', 'v10']);
  await store.repository('b').manifests.delete(digest);
  assert.deepEqual((await catalog.tags('b', all))?.entries, []);
  assert.deepEqual([catalog.usage().tags, catalog.usage().manifests, catalog.usage().repositories], [1, 1, 2]);
  await assertAgrees(catalog, driver);
});

test('a volume is read as distribution reads it', async () => {
  const driver = createInMemoryDriver();
  const before = start(driver);
  for (const name of ['a', 'a/b', 'a/b/c']) await pushImage(before, name, 'v1');
  const upload = await before.store.repository('only/blobs').uploads.create();
  await upload.append(pieces('x'));
  await upload.commit(digestOf('x'));
  await driver.putContent(`${layout.repositoriesRoot}/Not-a-name/_manifests/tags/x/current/link`, Buffer.from('x'));
  await driver.putContent(`${layout.tagDirectory('a', 'half')}/index/sha256/0/link`, Buffer.from('a crash came'));
  await driver.putContent(`${layout.blobsRoot}/sha256/stray`, Buffer.from('x'));

  const { catalog } = await built(driver);
  assert.deepEqual((await catalog.repositories(all)).entries, ['a', 'a/b', 'a/b/c']);
  assert.deepEqual((await catalog.tags('a', all))?.entries, ['v1']);
  const { bytes, ...counts } = catalog.usage();
  assert.deepEqual(counts, { complete: true, repositories: 3, tags: 3, manifests: 3, blobs: 5 });
  assert.ok(bytes > 3);
});

test('while it is being read, what is pushed and deleted wins over what is found', async () => {
  const memory = createInMemoryDriver();
  const before = start(memory);
  for (const name of ['a', 'b', 'c']) await pushImage(before, name, 'old', 'gone');
  // The first listing of tags is held until the changes have been made, but shows what was there before them.
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const driver: StorageDriver = {
    ...memory,
    async list(path) {
      const entries = await memory.list(path);
      if (path !== layout.tagsDirectory('a')) return entries;
      held.resolve();
      await gate.promise;
      return entries;
    },
  };
  const catalog = createCatalog({ driver, logger });
  const store = createRegistryStore({ driver: memory, logger, observers: [catalog] });
  const building = catalog.build(never);
  await held.promise;
  assert.equal(catalog.usage().complete, false);
  await pushImage({ store }, 'a', 'new');
  await store.repository('a').tags.delete('gone');
  await pushImage({ store }, 'd', 'new');
  gate.resolve();
  await building;
  assert.deepEqual((await catalog.tags('a', all))?.entries, ['new', 'old']);
  assert.deepEqual((await catalog.repositories(all)).entries, ['a', 'b', 'c', 'd']);
  await assertAgrees(catalog, memory);
});

test('tags are answered before the build, the list of repositories waits for it', async () => {
  const driver = createInMemoryDriver();
  await pushImage(start(driver), 'a', 'v1');
  const { catalog } = start(driver);
  let answered = false;
  const repositories = catalog.repositories(all).then((page) => {
    answered = true;
    return page;
  });
  assert.deepEqual((await catalog.tags('a', all))?.entries, ['v1']);
  assert.equal(await catalog.tags('b', all), undefined);
  assert.equal(answered, false);
  await catalog.build(never);
  assert.deepEqual((await repositories).entries, ['a']);
});

test('tags that another process changed are seen by the next request', async () => {
  const driver = createInMemoryDriver();
  const { catalog } = await built(driver);
  const other = start(driver);
  await pushImage(other, 'a', 'one', 'two');
  assert.deepEqual((await catalog.tags('a', all))?.entries, ['one', 'two']);
  await other.store.repository('a').tags.delete('one');
  await pushImage(other, 'a', 'three');
  assert.deepEqual((await catalog.tags('a', all))?.entries, ['three', 'two']);
  await driver.delete(layout.repositoryDirectory('a'));
  assert.equal(await catalog.tags('a', all), undefined);
  assert.deepEqual((await catalog.repositories(all)).entries, []);
});

test('a tag whose link another process writes after its directory was seen is seen, however many are on the way', async () => {
  for (const many of [1, 200]) {
    const driver = createInMemoryDriver();
    const digest = await pushImage(start(driver), 'a', 'old');
    const onTheWay = Array.from({ length: many }, (_, number) => `new${number}`);
    for (const tag of onTheWay) await driver.putContent(layout.tagIndexLink('a', tag, digest), Buffer.from(digest));
    const { catalog } = await built(driver);
    assert.deepEqual((await catalog.tags('a', all))?.entries, ['old']);
    await driver.putContent(layout.tagLink('a', 'new0'), Buffer.from(digest));
    assert.deepEqual((await catalog.tags('a', all))?.entries, ['new0', 'old']);
    await assertAgrees(catalog, driver);
  }
});

test('a tag that another process lost in the middle of a deletion is gone once somebody asks for it', async () => {
  const driver = createInMemoryDriver();
  const registry = await built(driver);
  await pushImage(registry, 'app', 'v1', 'v2');
  const tags = async () => (await registry.catalog.tags('app', all))?.entries;
  assert.deepEqual(await tags(), ['v1', 'v2']);
  await driver.delete(layout.tagLink('app', 'v1'));
  assert.equal(await registry.store.repository('app').tags.resolve('v1'), undefined);
  assert.deepEqual(await tags(), ['v2']);
  await assertAgrees(registry.catalog, driver);
  await pushImage(registry, 'app', 'v1');
  assert.deepEqual(await tags(), ['v1', 'v2']);
});

test('a second build finds all that another process changed', async () => {
  const driver = createInMemoryDriver();
  const { catalog, store } = await built(driver);
  await pushImage({ store }, 'stays', 'v1');
  await pushImage({ store }, 'goes', 'v1');
  const other = start(driver);
  await pushImage(other, 'comes', 'v1', 'v2');
  await driver.delete(layout.repositoryDirectory('goes'));
  await driver.delete(layout.blobData(digestOf(imageManifest('{}', 'goes'))));
  await catalog.build(never);
  assert.deepEqual((await catalog.repositories(all)).entries, ['comes', 'stays']);
  await assertAgrees(catalog, driver);
});

test('builds asked for at once come one after the other', async () => {
  const driver = createInMemoryDriver();
  const { catalog } = await built(driver);
  const other = start(driver);
  for (const name of ['a', 'b', 'c']) await pushImage(other, name, 'v1');
  await Promise.all([catalog.build(never), catalog.build(never), catalog.build(never)]);
  await assertAgrees(catalog, driver);
});

test('a build that fails or is stopped leaves what is known, and the next one completes it', async () => {
  const memory = createInMemoryDriver();
  await pushImage(start(memory), 'a', 'v1');
  let failing = true;
  const list: StorageDriver['list'] = async (path) => {
    if (failing && path.startsWith(layout.blobsRoot)) throw new Error('EIO');
    return memory.list(path);
  };
  const { catalog } = start({ ...memory, list });
  await assert.rejects(catalog.build(never), /EIO/);
  await assert.rejects(catalog.build(AbortSignal.abort(new Error('stopped'))), /stopped/);
  assert.equal(catalog.usage().complete, false);
  failing = false;
  await catalog.build(never);
  failing = true;
  await assert.rejects(catalog.build(never), /EIO/);
  assert.equal(catalog.usage().complete, true);
  await assertAgrees(catalog, memory);
});

test('a directory that can not be read hides itself alone, and what was known of it stays', async () => {
  const memory = createInMemoryDriver();
  for (const name of ['a', 'b', 'c', 'c/d']) await pushImage(start(memory), name, 'v1');
  let failing = new Set<string>();
  const list: StorageDriver['list'] = async (path) => {
    if (failing.has(path)) throw diskError('EACCES');
    return memory.list(path);
  };
  const { catalog } = await built({ ...memory, list });
  const { blobs } = catalog.usage();
  failing = new Set([
    layout.tagsDirectory('a'),
    layout.repositoryDirectory('c'),
    dirname(dirname(layout.blobData(digestOf('{}')))),
  ]);
  await pushImage(start(memory), 'b', 'v2');
  await catalog.build(never);
  assert.deepEqual((await catalog.repositories(all)).entries, ['a', 'b', 'c', 'c/d']);
  assert.deepEqual((await catalog.tags('b', all))?.entries, ['v1', 'v2']);
  assert.ok(catalog.usage().blobs < blobs, 'sizes come from the disk alone');

  const { catalog: fresh } = await built({ ...memory, list });
  assert.deepEqual((await fresh.repositories(all)).entries, ['b']);
});

test('as long as nothing can be read the catalog says so instead of keeping clients waiting', async () => {
  const memory = createInMemoryDriver();
  await pushImage(start(memory), 'a', 'v1');
  let failing = true;
  const list: StorageDriver['list'] = async (path) => {
    if (failing) throw diskError('EIO');
    return memory.list(path);
  };
  const { catalog } = start({ ...memory, list });
  const early = assert.rejects(catalog.repositories(all), { code: 'UNAVAILABLE' });
  await assert.rejects(catalog.build(never), { code: 'EIO' });
  await early;
  await assert.rejects(catalog.repositories(all), { code: 'UNAVAILABLE' });
  failing = false;
  const building = catalog.build(never);
  assert.deepEqual((await catalog.repositories(all)).entries, ['a']);
  await building;
});

test('a repository that is removed while it is being read is gone', async () => {
  const memory = createInMemoryDriver();
  const before = start(memory);
  for (const name of ['goes', 'stays']) await pushImage(before, name, 'v1');
  const [held, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const list: StorageDriver['list'] = async (path) => {
    const entries = await memory.list(path);
    if (path !== layout.tagsDirectory('goes')) return entries;
    held.resolve();
    await gate.promise;
    return entries;
  };
  const { catalog } = start({ ...memory, list });
  const building = catalog.build(never);
  await held.promise;
  await memory.delete(layout.repositoryDirectory('goes'));
  catalog.repositoryRemoved?.('goes');
  gate.resolve();
  await building;
  assert.deepEqual((await catalog.repositories(all)).entries, ['stays']);
  await assertAgrees(catalog, memory);
});

test('listeners are told of every change until they stop listening', async () => {
  const { catalog, store } = await built(createInMemoryDriver());
  let changes = 0;
  const stop = catalog.onChange(() => changes++);
  const digest = await pushImage({ store }, 'a', 'v1');
  assert.ok(changes >= 3);
  const before = changes;
  await store.repository('a').manifests.delete(digest);
  assert.ok(changes > before);
  stop();
  const after = changes;
  await pushImage({ store }, 'b', 'v1');
  assert.equal(changes, after);
});
