/** Collections beside another process on the same volume, which knows nothing of our protections. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createLogger } from '#shared/logger.ts';
import { collectedApp, pull, type CollectedApp } from '#test/support/collected-app.ts';
import { digestOf, image, index, mediaTypes } from '#test/support/content.ts';
import { registryApp } from '#test/support/registry-app.ts';
import { registryTree } from '#test/support/registry-tree.ts';
import { createCollector } from './collector.ts';
import { createProtection } from './protection.ts';

const never = new AbortController().signal;

/** Collects with protections of its own, and with what `driver` does otherwise. */
function collect(
  { driver, store, catalog, root }: CollectedApp,
  other: Partial<StorageDriver>,
  deleteUntagged = false,
) {
  const collector = createCollector({
    driver: { ...driver, ...other },
    store,
    observer: catalog,
    protection: createProtection({ protectMs: 0 }),
    rootDirectory: root,
    deleteUntagged,
    minimumAgeMs: 0,
    logger: createLogger({ level: 'silent' }),
  });
  return collector.collect(never);
}

test('what another process touched meanwhile is put back', async (t) => {
  const app = await collectedApp(t);
  const [blob] = image('touched').blobs;
  await app.pushBlob('app', blob!.bytes, blob!.digest);
  const path = `/docker/registry/v2/${registryTree(app.root).blobPath(blob!.digest)}`;
  const { removed } = await collect(app, {
    move: async (from, to, options) => (await app.driver.touch(from), app.driver.move(from, to, options)),
  });
  assert.equal(removed.blobs, 0);
  assert.ok(await app.driver.stat(path));
});

test('what is about to be put back is safe from the collection of another process', async (t) => {
  const app = await collectedApp(t);
  const [blob] = image('kept').blobs;
  const other = image('garbage').blobs;
  for (const { bytes, digest } of [blob!, ...other]) await app.pushBlob('app', bytes, digest);
  const path = `/docker/registry/v2/${registryTree(app.root).blobPath(blob!.digest)}`;
  const move: StorageDriver['move'] = async (from, to, options) => {
    if (from === path) await app.driver.touch(path);
    const moved = await app.driver.move(from, to, options);
    // Between the moving away and the look at it; in containers both processes have the same number.
    if (from === path) assert.ok((await collect(app, {})).removed.blobs > 0);
    return moved;
  };
  await collect(app, { move });
  assert.deepEqual((await app.driver.getContent(path))?.bytes, blob!.bytes);
});

test('what another process touched before is not away for a moment', async (t) => {
  const app = await collectedApp(t);
  const [blob] = image('touched before').blobs;
  await app.pushBlob('app', blob!.bytes, blob!.digest);
  const path = `/docker/registry/v2/${registryTree(app.root).blobPath(blob!.digest)}`;
  const moved: string[] = [];
  const move: StorageDriver['move'] = async (from, to, options) => {
    moved.push(from);
    // Its link goes first.
    if (from.endsWith('/link')) await app.driver.touch(path);
    return app.driver.move(from, to, options);
  };
  const { removed } = await collect(app, { move });
  assert.deepEqual([removed.layers, removed.blobs], [1, 0]);
  assert.ok(!moved.includes(path));
});

/** `meanwhile` is what another process does when the collection is about to move the link of a manifest away. */
async function collectBeside(app: CollectedApp, meanwhile: () => Promise<unknown>) {
  let times = 0;
  const move: StorageDriver['move'] = async (from, to, options) => {
    if (from.includes('/_manifests/revisions/') && times++ === 0) await meanwhile();
    return app.driver.move(from, to, options);
  };
  const { removed } = await collect(app, { move }, true);
  assert.equal(times, 1);
  return removed;
}

/** A second process on the volume, as far as it matters: it has protections of its own. */
const another = (t: TestContext, { driver }: CollectedApp) =>
  registryApp(t, { driver, protection: createProtection({ protectMs: 0 }) });

test('an untagged manifest that another process tags meanwhile stays, with the tag', async (t) => {
  const app = await collectedApp(t);
  const other = await another(t, app);
  await app.pushImage('app', image('again'), 'v1');
  await app.send('DELETE', 'app/manifests/v1');
  const removed = await collectBeside(app, () => other.pushManifest('app', image('again').manifest, 'v2'));
  assert.deepEqual([removed.manifests, removed.blobs], [0, 0]);
  await pull(app, 'app', 'v2');
});

test('an untagged manifest that another process puts into an index meanwhile stays', async (t) => {
  const app = await collectedApp(t);
  const other = await another(t, app);
  await app.pushImage('app', image('amd64'));
  const removed = await collectBeside(app, async () => {
    assert.equal((await other.pushManifest('app', index([image('amd64')]), 'v1')).statusCode, 201);
  });
  assert.deepEqual([removed.manifests, removed.blobs], [0, 0]);
  await pull(app, 'app', 'v1');
});

test('a blob that distribution keeps under its sha256 digest stays when another process needs it as sha512', async (t) => {
  const app = await collectedApp(t);
  const other = await another(t, app);
  const tree = registryTree(app.root);
  const bytes = Buffer.from('pushed as sha512');
  const stored = tree.blob(bytes);
  const digest = digestOf(bytes, 'sha512');
  tree.layerLink('app', stored.digest);
  tree.layerLink('app', digest, stored.digest);
  const { manifest, blobs } = image('by sha512', {
    layers: [],
    shared: [{ mediaType: mediaTypes.layer, digest, bytes }],
  });
  await app.pushBlob('app', blobs[0]!.bytes, blobs[0]!.digest);
  tree.age(10_000);
  let times = 0;
  const move: StorageDriver['move'] = async (from, to, options) => {
    if (times++ === 0) assert.equal((await other.pushManifest('app', manifest, 'v1')).statusCode, 201);
    return app.driver.move(from, to, options);
  };
  tree.layerLink('app', tree.blob('garbage').digest);
  const { removed } = await collect(app, { move });
  assert.ok(times > 0);
  assert.equal(removed.blobs, 1);
  await pull(app, 'app', 'v1');
});
