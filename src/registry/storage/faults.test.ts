/** A disk that fails at every single step of a push, one after the other: no half of anything, and the next try succeeds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#shared/logger.ts';
import { diskError, faultyDriver, type Fault } from '#test/support/faulty-driver.ts';
import { digestOf, imageManifest, pieces } from '#test/support/stored-content.ts';
import type { StorageDriver } from './driver.ts';
import { createInMemoryDriver } from './drivers/inmemory.ts';
import { explainVolumeError } from './drivers/volume-errors.ts';
import { uploadsDirectory } from './layout.ts';
import { createRegistryStore } from './registry-store.ts';
import type { RepositoryStore } from './store.ts';

const logger = createLogger({ level: 'silent' });
const layer = Buffer.alloc(200_000, 'layer');
const manifest = imageManifest('{}');
const [layerDigest, manifestDigest] = [digestOf(layer), digestOf(manifest)];

function open(driver: StorageDriver): RepositoryStore {
  return createRegistryStore({ driver, logger }).repository('a');
}

async function pushImage(repository: RepositoryStore): Promise<void> {
  const upload = await repository.uploads.create();
  await upload.append(pieces(layer));
  await upload.commit(layerDigest);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  await repository.manifests.put({ digest: manifestDigest, mediaType, bytes: manifest }, { tags: ['v1'] });
}

/** Whatever can be seen is whole: a tag has its manifest, a manifest its bytes, a blob its size. */
async function assertWhole(repository: RepositoryStore): Promise<void> {
  const tag = await repository.tags.resolve('v1');
  const stored = await repository.manifests.get(manifestDigest);
  const blob = await repository.blobs.stat(layerDigest);
  if (tag) assert.ok(stored);
  if (stored) assert.deepEqual(stored.bytes, manifest);
  if (blob) assert.equal(blob.size, layer.byteLength);
}

async function stepsOfPush(): Promise<string[]> {
  const steps: string[] = [];
  await pushImage(open(faultyDriver(createInMemoryDriver(), (action) => steps.push(action))));
  return steps;
}

for (const code of ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS']) {
  test(`${code} at any step of a push is told, leaves nothing half done, and the next push succeeds`, async () => {
    const steps = await stepsOfPush();
    assert.ok(steps.length >= 10);
    for (const [failing, action] of steps.entries()) {
      const disk = createInMemoryDriver();
      let step = 0;
      const driver = faultyDriver(disk, () => {
        if (step++ === failing) throw explainVolumeError(diskError(code), '/volume');
      });
      const repository = open(driver);
      const at = `step ${failing}, ${action}`;
      await assert.rejects(pushImage(repository), code === 'EIO' ? { code: 'EIO' } : { code: 'UNAVAILABLE' }, at);
      await assertWhole(repository);
      await assertWhole(open(disk));
      await pushImage(repository);
      assert.equal(await repository.tags.resolve('v1'), manifestDigest, at);
      await assertWhole(repository);
    }
  });
}

test('an upload goes on when the disk does, and what it hashed is what is there', async () => {
  const bytes = Buffer.from(Array.from({ length: 8_000_000 }, (_, index) => index % 253));
  let failing = 0;
  let writes = 0;
  const fault: Fault = (action, path) => {
    if (action === 'write' && path.endsWith('/data') && ++writes === failing) throw diskError('EIO');
  };
  const create = () => open(faultyDriver(createInMemoryDriver(), fault)).uploads.create();
  await (await create()).append(pieces(bytes));
  const all = writes;
  for (failing = 1; failing <= all; failing++) {
    writes = 0;
    const upload = await create();
    await assert.rejects(upload.append(pieces(bytes)), { code: 'EIO' });
    const kept = upload.size;
    assert.ok(kept < bytes.byteLength);
    await upload.append(pieces(bytes.subarray(kept)));
    assert.deepEqual(await upload.commit(digestOf(bytes)), { digest: digestOf(bytes), size: bytes.byteLength });
  }
});

test("an observer that throws is none of the client's business", async () => {
  const tagSet = () => {
    throw new Error('broken observer');
  };
  const store = createRegistryStore({ driver: createInMemoryDriver(), logger, observers: [{ tagSet }] });
  await pushImage(store.repository('a'));
  assert.equal(await store.repository('a').tags.resolve('v1'), manifestDigest);
});

test('an upload that can not be begun or committed leaves nothing behind', async () => {
  const steps = await stepsOfPush();
  // In between it can be resumed, and what arrived is kept.
  const begin = steps.slice(0, 2).keys();
  const commit = steps.keys().filter((step) => step >= steps.indexOf('sync') && step <= steps.indexOf('publish') + 1);
  for (const failing of [...begin, ...commit]) {
    const disk = createInMemoryDriver();
    let step = 0;
    const driver = faultyDriver(disk, () => {
      if (step++ === failing) throw diskError('EIO');
    });
    await assert.rejects(pushImage(open(driver)), { code: 'EIO' });
    assert.deepEqual((await disk.list(uploadsDirectory('a'))) ?? [], [], `step ${failing}, ${steps[failing]}`);
  }
});

test('data that could not be synced is not committed by another try', async () => {
  let failures = 1;
  const driver = faultyDriver(createInMemoryDriver(), (action) => {
    if (action === 'sync' && failures-- > 0) throw diskError('EIO');
  });
  const upload = await open(driver).uploads.create();
  await upload.append(pieces(layer));
  await assert.rejects(upload.commit(layerDigest), { code: 'EIO' });
  await assert.rejects(upload.commit(layerDigest), { code: 'BLOB_UPLOAD_UNKNOWN' });
  assert.equal(await open(driver).blobs.stat(layerDigest), undefined);
});

test('a sync that fails while an upload arrives ends the upload: a later sync would succeed without the data', async () => {
  const driver = faultyDriver(createInMemoryDriver(), (action) => {
    if (action === 'sync') throw diskError('EIO');
  });
  const repository = open(driver);
  const upload = await repository.uploads.create();
  const large = (async function* () {
    for (let i = 0; i < 40; i++) yield Buffer.alloc(1024 * 1024, i);
  })();
  await assert.rejects(upload.append(large), { code: 'EIO' });
  assert.equal(await repository.uploads.get(upload.id), undefined);
});
