/** Pushes and pulls through the HTTP app while garbage is collected as fast as it goes, with no grace at all. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createCatalog } from '#registry/catalog/create-catalog.ts';
import { createLogger } from '#shared/logger.ts';
import { collectedApp, pull, type CollectedApp } from '#test/support/collected-app.ts';
import { descriptor, image, index, json, mediaTypes, type Content, type Image } from '#test/support/content.ts';
import { seededRandom } from '#test/support/random.ts';
import { octets, type TestApp } from '#test/support/registry-app.ts';
import { registryTree } from '#test/support/registry-tree.ts';

const never = new AbortController().signal;

interface Pushed {
  repository: string;
  tag: string;
  digest: string;
}

/** As docker does it: ask for each blob, push what is missing, then the manifest. `false` when the registry refused. */
async function push(
  { send }: TestApp,
  repository: string,
  { blobs, manifest }: Image,
  reference: string,
): Promise<boolean> {
  for (const { digest, bytes } of blobs) {
    if ((await send('HEAD', `${repository}/blobs/${digest}`)).statusCode === 200) continue;
    const uploaded = await send('POST', `${repository}/blobs/uploads/?digest=${digest}`, {
      payload: bytes,
      headers: octets,
    });
    assert.equal(uploaded.statusCode, 201, uploaded.body);
  }
  await think();
  return put({ send }, repository, manifest, reference);
}

/** Clients take their time, so that collections begin and end in the middle of a push. */
const think = () => delay(Math.random() * 60);

async function put(
  { send }: Pick<TestApp, 'send'>,
  repository: string,
  manifest: Content,
  reference: string,
): Promise<boolean> {
  const headers = { 'content-type': manifest.mediaType };
  const answer = await send('PUT', `${repository}/manifests/${reference}`, { payload: manifest.bytes, headers });
  // Without a grace period a push may find its content collected. It is told, and tries again.
  if (answer.statusCode === 400 || answer.statusCode === 404) {
    assert.match(answer.body, /MANIFEST_BLOB_UNKNOWN|MANIFEST_UNKNOWN/);
    return false;
  }
  assert.equal(answer.statusCode, 201, answer.body);
  return true;
}

/** What the index was told of is what it would read from disk. */
async function assertIndexIsTrue({ catalog, driver }: CollectedApp): Promise<void> {
  const fresh = createCatalog({ driver, logger: createLogger({ level: 'silent' }) });
  await fresh.build(never);
  assert.deepEqual(catalog.usage(), fresh.usage());
  const all = { limit: 1000 };
  const { entries } = await fresh.repositories(all);
  assert.deepEqual((await catalog.repositories(all)).entries, entries);
  for (const name of entries) {
    assert.deepEqual((await catalog.tags(name, all))?.entries, (await fresh.tags(name, all))?.entries, name);
  }
}

/** A client with tags of its own, which shares repositories and layers with the others. */
async function client(
  app: TestApp,
  name: string,
  seed: number,
  until: AbortSignal,
): Promise<{ tags: Map<string, Pushed>; refused: number }> {
  const random = seededRandom(seed);
  const pick = (n: number) => Math.floor(random() * n);
  const tags = new Map<string, Pushed>();
  let refused = 0;
  const acknowledged = async (done: Promise<boolean>, pushed: Pushed) => {
    if (await done) tags.set(`${pushed.repository}:${pushed.tag}`, pushed);
    else refused++;
  };
  while (!until.aborted) {
    const repository = `shared/repository-${pick(3)}`;
    const tag = `${name}-${pick(3)}`;
    const one = image(`image ${pick(12)}`);
    switch (pick(7)) {
      case 0:
      case 1:
        await acknowledged(push(app, repository, one, tag), { repository, tag, digest: one.manifest.digest });
        break;
      case 2: {
        const other = image(`image ${pick(12)}`);
        const inner = index([one, other]);
        const outer = json(mediaTypes.index, {
          schemaVersion: 2,
          mediaType: mediaTypes.index,
          manifests: [descriptor(inner)],
        });
        const children = [one, other].map((child) => push(app, repository, child, child.manifest.digest));
        const ready = (await Promise.all(children)).every(Boolean) && (await put(app, repository, inner, inner.digest));
        if (ready) await acknowledged(put(app, repository, outer, tag), { repository, tag, digest: outer.digest });
        break;
      }
      case 3: {
        const known = [...tags.values()][pick(tags.size || 1)];
        if (known) await pull(app, known.repository, known.tag);
        break;
      }
      case 4: {
        // Given up half way: content that nothing refers to.
        const [config] = image(`abandoned ${pick(12)}`).blobs;
        if (config) await app.pushBlob(repository, config.bytes, config.digest);
        break;
      }
      case 5: {
        const mine = image(`${name} ${pick(4)}`);
        await push(app, repository, mine, mine.manifest.digest);
        await app.send('DELETE', `${repository}/manifests/${mine.manifest.digest}`);
        break;
      }
      default:
        tags.delete(`${repository}:${tag}`);
        await app.send('DELETE', `${repository}/manifests/${tag}`);
    }
  }
  return { tags, refused };
}

for (const deleteUntagged of [false, true]) {
  const title = deleteUntagged ? 'with untagged manifests' : 'content alone';
  test(
    `every acknowledged image stays pullable while garbage is collected: ${title}`,
    { timeout: 60_000 },
    async (t) => {
      const app = await collectedApp(t);
      const collector = app.collector(deleteUntagged);
      const over = new AbortController();
      const clients = [1, 2, 3, 4].map((n) => client(app, `client-${n}`, n * 7919, over.signal));
      const removed = { blobs: 0, manifests: 0 };
      const deadline = performance.now() + 6000;
      try {
        while (performance.now() < deadline) {
          const report = await collector.collect(never);
          assert.deepEqual(report.problems, []);
          removed.blobs += report.removed.blobs;
          removed.manifests += report.removed.manifests;
        }
      } finally {
        over.abort();
      }
      const results = await Promise.all(clients);
      const images = results.flatMap(({ tags }) => [...tags.values()]);
      for (const { repository, tag } of images) await pull(app, repository, tag);
      await collector.collect(never);
      for (const { repository, tag, digest } of images) {
        assert.equal(
          (await app.send('HEAD', `${repository}/manifests/${tag}`)).headers['docker-content-digest'],
          digest,
        );
        await pull(app, repository, tag);
      }
      await assertIndexIsTrue(app);
      const refused = results.reduce((sum, result) => sum + result.refused, 0);
      t.diagnostic(
        `${images.length} tags, ${removed.blobs} blobs and ${removed.manifests} manifests removed, ${refused} pushes refused`,
      );
      assert.ok(removed.blobs > 0, 'there was garbage');
    },
  );
}

test('what a client was told to be here stays for the protected time, and goes after it', async (t) => {
  const patient = await collectedApp(t, 60_000);
  const { blobs } = image('protected');
  for (const { digest, bytes } of blobs) await patient.pushBlob('app', bytes, digest);
  await patient.collector(false).collect(never);
  const first = blobs[0]?.digest ?? '';
  assert.equal((await patient.send('HEAD', `app/blobs/${first}`)).statusCode, 200);
  const hasty = await collectedApp(t);
  for (const { digest, bytes } of blobs) await hasty.pushBlob('app', bytes, digest);
  const { removed } = await hasty.collector(false).collect(never);
  assert.equal(removed.blobs, blobs.length);
  assert.equal((await hasty.send('HEAD', `app/blobs/${first}`)).statusCode, 404);
});

test('a whole collection between the check of a manifest and its write removes nothing that it names', async (t) => {
  const [reached, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const app = await collectedApp(t, 0, (driver) => ({
    ...driver,
    async publish(stages) {
      if (stages.flat().some(({ path }) => path.includes('/_manifests/revisions/'))) {
        reached.resolve();
        await open.promise;
      }
      return driver.publish(stages);
    },
  }));
  const { blobs, manifest } = image('slow');
  for (const { digest, bytes } of blobs) await app.pushBlob('app', bytes, digest);
  const pushed = put(app, 'app', manifest, 'v1');
  await reached.promise;
  const { removed } = await app.collector(true).collect(never);
  open.resolve();
  assert.equal(await pushed, true);
  await pull(app, 'app', 'v1');
  assert.equal(removed.blobs, 0);
});

test('an emptied repository leaves the catalog, the figures and the disk', async (t) => {
  const app = await collectedApp(t);
  await app.pushImage('team/app', image('gone'), 'v1');
  await app.send('DELETE', 'team/app/manifests/v1');
  const { removed } = await app.collector(true).collect(never);
  assert.deepEqual([removed.repositories, removed.manifests], [1, 1]);
  assert.deepEqual((await app.send('GET', '_catalog')).json(), { repositories: [] });
  assert.deepEqual([app.catalog.usage().blobs, app.catalog.usage().bytes, app.catalog.usage().repositories], [0, 0, 0]);
  assert.ok(!existsSync(`${app.root}/docker/registry/v2/repositories/team`));
  assert.deepEqual(registryTree(app.root).files(), []);
  await app.pushImage('team/app', image('again'), 'v1');
  await pull(app, 'team/app', 'v1');
});

test('an interrupted run rejects and leaves a sound registry', async (t) => {
  const app = await collectedApp(t);
  await app.pushImage('app', image('kept'), 'v1');
  const aborted = AbortSignal.abort(new Error('stopping'));
  await assert.rejects(app.collector(true).collect(aborted), /stopping/);
  await pull(app, 'app', 'v1');
});
