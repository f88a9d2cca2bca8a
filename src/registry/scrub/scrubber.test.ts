import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createCatalog } from '#registry/catalog/create-catalog.ts';
import type { Catalog } from '#registry/catalog/catalog.ts';
import { createCollector } from '#registry/gc/collector.ts';
import { createProtection } from '#registry/gc/protection.ts';
import type { Digest, DigestAlgorithm } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { blobData } from '#registry/storage/layout.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { RegistryStore, RepositoryStore } from '#registry/storage/store.ts';
import { createLogger } from '#shared/logger.ts';
import { diskError, faultyDriver } from '#test/support/faulty-driver.ts';
import { digestOf, imageManifest, pieces } from '#test/support/stored-content.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { scrub, type ScrubOptions, type ScrubReport } from './scrubber.ts';

const logger = createLogger({ level: 'silent' });
const never = new AbortController().signal;
const quarantine = '/.registry-operator/quarantine';

interface Fixture {
  driver: StorageDriver;
  store: RegistryStore;
  repository: RepositoryStore;
  catalog: Catalog;
  /** On `driver` unless another one is given. */
  scrubbed: (more?: Partial<ScrubOptions>, signal?: AbortSignal) => Promise<ScrubReport>;
}

async function fixture(driver: StorageDriver): Promise<Fixture> {
  const catalog = createCatalog({ driver, logger });
  const store = createRegistryStore({ driver, logger, observers: [catalog] });
  await catalog.build(never);
  const options = { driver, store, logger, bytesPerSecond: 0, dryRun: false };
  return {
    driver,
    store,
    repository: store.repository('team/app'),
    catalog,
    scrubbed: (more = {}, signal = never) => scrub({ ...options, ...more }, signal),
  };
}

const drivers: Record<string, (t: TestContext) => Promise<StorageDriver>> = {
  filesystem: async (t) => createFilesystemDriver({ rootDirectory: await temporaryFolder(t) }),
  inmemory: async () => createInMemoryDriver(),
};

/** On each driver. */
function onDrivers(title: string, check: (fixture: Fixture) => Promise<void>): void {
  for (const [name, make] of Object.entries(drivers)) {
    void test(`scrub on ${name}: ${title}`, async (t) => check(await fixture(await make(t))));
  }
}

async function push(repository: RepositoryStore, bytes: Buffer | string, algorithm?: DigestAlgorithm): Promise<Digest> {
  const upload = await repository.uploads.create(algorithm);
  await upload.append(pieces(bytes));
  return (await upload.commit(digestOf(bytes, algorithm))).digest;
}

async function putManifest({ repository }: Fixture): Promise<Digest> {
  const bytes = imageManifest('{}');
  const manifest = { digest: digestOf(bytes), mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes };
  await repository.manifests.put(manifest);
  return manifest.digest;
}

async function quarantined(driver: StorageDriver, algorithm = 'sha256'): Promise<string[]> {
  return ((await driver.list(`${quarantine}/${algorithm}`)) ?? []).map(({ name }) => name).sort();
}

async function assertFiguresAreTrue({ catalog, driver }: Fixture): Promise<void> {
  const fresh = createCatalog({ driver, logger });
  await fresh.build(never);
  assert.deepEqual(catalog.usage(), fresh.usage());
}

onDrivers('what is as it should be stays: empty, small, of one piece and of several, sha512', async (registry) => {
  const { driver, repository, scrubbed } = registry;
  let bytes = 0;
  for (const size of [0, 2, 262_144, 700_000]) {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      await push(repository, Buffer.alloc(size, 'x'), algorithm);
      bytes += size;
    }
  }
  bytes += (await repository.manifests.get(await putManifest(registry)))!.bytes.byteLength;
  assert.deepEqual(await scrubbed(), { blobs: 9, bytes, corrupt: 0, setAside: 0, unreadable: 0 });
  assert.equal(await driver.list(quarantine), undefined);
});

onDrivers('garbled, cut short and empty blobs are set aside, are missing, and a push heals them', async (registry) => {
  const { driver, repository, scrubbed } = registry;
  const good = Buffer.alloc(700_000, 'x');
  const garbled = Buffer.from(good);
  garbled[500_000] = 0;
  const cases: [content: Buffer, algorithm: DigestAlgorithm, corrupt: Buffer][] = [
    [good, 'sha256', garbled],
    [Buffer.alloc(600_000, 'y'), 'sha256', Buffer.alloc(300_000, 'y')],
    [Buffer.from('small'), 'sha256', Buffer.alloc(0)],
    [good, 'sha512', garbled],
  ];
  for (const [content, algorithm, corrupt] of cases) {
    const digest = await push(repository, content, algorithm);
    const reader = await repository.blobs.open(digest);
    await reader?.close();
    await driver.putContent(blobData(digest), corrupt);
  }
  const sound = await push(repository, 'sound');
  const { corrupt, setAside, blobs } = await scrubbed();
  assert.deepEqual({ corrupt, setAside, blobs }, { corrupt: 4, setAside: 4, blobs: 5 });
  await assertFiguresAreTrue(registry);
  assert.equal((await quarantined(driver)).length, 3);
  const [name = ''] = await quarantined(driver, 'sha512');
  assert.equal(name.slice(0, 129), `${digestOf(good, 'sha512').slice(7)}.`);
  assert.deepEqual((await driver.getContent(`${quarantine}/sha512/${name}`))?.bytes, garbled);
  for (const [content, algorithm] of cases) {
    const digest = digestOf(content, algorithm);
    assert.equal(await repository.blobs.stat(digest), undefined);
    assert.equal(await repository.blobs.open(digest), undefined);
    assert.equal(await repository.blobs.mount(digest), undefined);
    await push(repository, content, algorithm);
    assert.equal((await repository.blobs.stat(digest))?.size, content.byteLength);
  }
  assert.ok(await repository.blobs.stat(sound));
  await assertFiguresAreTrue(registry);
  assert.equal((await scrubbed()).corrupt, 0);
});

onDrivers('a manifest that is remembered is missing, too', async (registry) => {
  const { driver, repository, scrubbed } = registry;
  const digest = await putManifest(registry);
  assert.ok(await repository.manifests.get(digest));
  await driver.putContent(blobData(digest), Buffer.from('{}'));
  assert.equal((await scrubbed()).setAside, 1);
  assert.equal(await repository.manifests.get(digest), undefined);
  await putManifest(registry);
  assert.ok(await repository.manifests.get(digest));
  await assertFiguresAreTrue(registry);
});

onDrivers('a push that heals what is being read is not undone', async (registry) => {
  const { driver, repository, scrubbed } = registry;
  const digest = await push(repository, 'good');
  await driver.putContent(blobData(digest), Buffer.from('evil'));
  const open: StorageDriver['open'] = async (path) => {
    const file = await driver.open(path);
    await push(repository, 'good');
    return file;
  };
  const { corrupt, setAside } = await scrubbed({ driver: { ...driver, open } });
  assert.deepEqual([corrupt, setAside], [1, 0]);
  assert.deepEqual((await driver.getContent(blobData(digest)))?.bytes.toString(), 'good');
});

onDrivers('nor is that of another process, which comes in the last moment', async ({ driver, repository }) => {
  const digest = await push(repository, 'good');
  await driver.putContent(blobData(digest), Buffer.from('evil'));
  let moves = 0;
  const move: StorageDriver['move'] = async (from, to, options) => {
    if (moves++ === 0) await driver.putContent(from, Buffer.from('good'));
    return driver.move(from, to, options);
  };
  const { store, scrubbed } = await fixture({ ...driver, move });
  assert.equal((await scrubbed()).setAside, 0);
  assert.ok(await store.repository('team/app').blobs.stat(digest));
  assert.deepEqual(await quarantined(driver), []);
});

onDrivers('a dry run only tells', async ({ driver, repository, scrubbed }) => {
  const digest = await push(repository, 'good');
  await driver.putContent(blobData(digest), Buffer.from('evil'));
  const { corrupt, setAside } = await scrubbed({ dryRun: true });
  assert.deepEqual([corrupt, setAside], [1, 0]);
  assert.ok(await driver.stat(blobData(digest)));
  assert.equal(await driver.list(quarantine), undefined);
});

onDrivers('it ends between two blobs and in the middle of one when the signal says so', async (registry) => {
  const { driver, repository, scrubbed } = registry;
  for (const content of ['a', 'b', 'c']) await push(repository, content);
  const stop = new AbortController();
  let verified = 0;
  const observe = {
    verified() {
      verified++;
      stop.abort(new Error('stopped'));
    },
  };
  await assert.rejects(scrubbed({ observe }, stop.signal), /stopped/);
  assert.equal(verified, 1);

  const later = new AbortController();
  const open: StorageDriver['open'] = async (path) => {
    later.abort(new Error('stopped later'));
    return driver.open(path);
  };
  await assert.rejects(scrubbed({ driver: { ...driver, open } }, later.signal), /stopped later/);
});

onDrivers(
  'a blob that the disk does not give is told of, and stays; so do those that can not be moved',
  async (base) => {
    const { driver, repository, scrubbed } = base;
    const [unreadable, corrupt] = [await push(repository, 'unreadable'), await push(repository, 'corrupt')];
    await driver.putContent(blobData(corrupt), Buffer.from('x'));
    const open: StorageDriver['open'] = async (path) => {
      if (path === blobData(unreadable)) throw diskError('EIO');
      return driver.open(path);
    };
    const failing = faultyDriver(driver, (action) => {
      if (action === 'move') throw diskError('EROFS');
    });
    const report = await scrubbed({
      driver: { ...driver, open },
      store: createRegistryStore({ driver: failing, logger }),
    });
    assert.deepEqual(report, { blobs: 1, bytes: 1, corrupt: 1, setAside: 0, unreadable: 1 });
    for (const digest of [unreadable, corrupt]) assert.ok(await driver.stat(blobData(digest)));
  },
);

onDrivers('a directory that the disk does not list is told of, and what is behind it is verified', async (registry) => {
  const { driver, repository, scrubbed } = registry;
  const digests = [await push(repository, 'one'), await push(repository, 'two'), await push(repository, 'three')];
  const [hidden = ''] = digests.map((digest) => dirname(dirname(blobData(digest)))).sort();
  const list: StorageDriver['list'] = async (path) => {
    if (path === hidden) throw diskError('EIO');
    return driver.list(path);
  };
  const { blobs, unreadable } = await scrubbed({ driver: { ...driver, list } });
  assert.deepEqual([blobs, unreadable], [2, 1]);
});

onDrivers('a collection takes nothing away because a manifest was set aside', async (registry) => {
  const { driver, store, repository, scrubbed } = registry;
  const config = await push(repository, '{}');
  const manifest = await putManifest(registry);
  await driver.putContent(blobData(manifest), Buffer.from('evil'));
  assert.equal((await scrubbed()).setAside, 1);
  const protection = createProtection({ protectMs: 0 });
  const options = { driver, store, protection, logger, deleteUntagged: false, minimumAgeMs: 0 };
  const { removed } = await createCollector(options).collect(never);
  assert.deepEqual([removed.blobs, removed.layers, removed.manifests], [0, 0, 0]);
  assert.ok(await repository.blobs.stat(config));
  await putManifest(registry);
  assert.ok(await repository.manifests.get(manifest));
});

test('the log has the repositories that lose something', async () => {
  const { driver, store, repository, scrubbed } = await fixture(createInMemoryDriver());
  const digest = await push(repository, 'good');
  await store.repository('a').blobs.mount(digest);
  await push(store.repository('other'), 'x');
  await driver.putContent(blobData(digest), Buffer.from('evil'));
  const told: Record<string, unknown>[] = [];
  const listening = createLogger({ level: 'silent' });
  listening.error = (facts: object) => void told.push({ ...facts });
  await scrubbed({ logger: listening });
  assert.deepEqual(
    told.map((facts) => [facts['digest'], facts['actual'], facts['bytes'], facts['repositories']]),
    [[digest, digestOf('evil'), 4, ['a', 'team/app']]],
  );
});
