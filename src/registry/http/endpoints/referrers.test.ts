import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fallbackTag } from '#registry/catalog/referrers.ts';
import type { Digest } from '#registry/oci/digest.ts';
import { descriptor, digestOf, image, json, mediaTypes, type Content, type Image } from '#test/support/content.ts';
import { errorCodes, expect, registryApp, type TestApp } from '#test/support/registry-app.ts';

const subject = image('subject');
const target = descriptor(subject.manifest);

function referrer(seed: string, fields: Record<string, unknown> = {}): Image {
  return image(seed, { fields: { subject: target, ...fields } });
}

interface Listed {
  digest: string;
  mediaType: string;
  size: number;
  artifactType?: string;
  annotations?: Record<string, string>;
}

async function list({ send }: TestApp, query = '', digest = subject.manifest.digest): Promise<Listed[]> {
  const answer = expect(await send('GET', `a/referrers/${digest}${query}`), 200);
  assert.equal(answer.headers['content-type'], mediaTypes.index);
  const index = answer.json<{ schemaVersion: number; mediaType: string; manifests: Listed[] }>();
  assert.deepEqual([index.schemaVersion, index.mediaType], [2, mediaTypes.index]);
  return index.manifests;
}

test('what nobody refers to has an empty index, known or not', async (t) => {
  const app = await registryApp(t);
  assert.deepEqual(await list(app), []);
  await app.pushImage('a', subject);
  assert.deepEqual(await list(app), []);
  assert.deepEqual(await list(app, '', digestOf(Buffer.from('x'), 'sha512')), []);
  assert.deepEqual(errorCodes(expect(await app.send('GET', 'a/referrers/sha256:x'), 400)), ['DIGEST_INVALID']);
  assert.match((await app.send('GET', 'a/referrers/latest')).body, /not a sha256 or sha512 digest/);
});

test('referrers are described with their type and annotations, before and after their subject is there', async (t) => {
  const app = await registryApp(t);
  const signed = referrer('signed', { artifactType: 'application/x.signature', annotations: { key: 'value' } });
  await app.pushImage('a', signed);
  const [first] = await list(app);
  assert.deepEqual(first, {
    mediaType: mediaTypes.manifest,
    digest: signed.manifest.digest,
    size: signed.manifest.bytes.length,
    artifactType: 'application/x.signature',
    annotations: { key: 'value' },
  });
  await app.pushImage('a', subject);
  await app.pushImage('a', referrer('plain'));
  const index = json(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [],
    subject: target,
  });
  expect(await app.pushManifest('a', index), 201);
  const all = await list(app);
  assert.equal(all.length, 3);
  assert.deepEqual(
    all.map(({ digest }) => digest),
    all.map(({ digest }) => digest).toSorted(),
  );
  assert.equal(all.find(({ digest }) => digest === referrer('plain').manifest.digest)?.artifactType, mediaTypes.config);
  assert.equal(all.find(({ digest }) => digest === index.digest)?.artifactType, undefined);
});

test('the types that are asked for, and the answer says so', async (t) => {
  const app = await registryApp(t);
  for (const kind of ['a/b', 'c/d']) await app.pushImage('a', referrer(kind, { artifactType: kind }));
  const answer = expect(await app.send('GET', `a/referrers/${subject.manifest.digest}?artifactType=a%2Fb`), 200);
  assert.equal(answer.headers['oci-filters-applied'], 'artifactType');
  assert.deepEqual(
    (await list(app, '?artifactType=a/b')).map(({ artifactType }) => artifactType),
    ['a/b'],
  );
  assert.equal((await list(app, '?artifactType=c/d&artifactType=a/b')).length, 2);
  assert.deepEqual(await list(app, '?artifactType=none'), []);
});

test('one that is deleted is gone', async (t) => {
  const app = await registryApp(t);
  await app.pushImage('a', referrer('deleted'));
  assert.equal((await list(app)).length, 1);
  expect(await app.send('DELETE', `a/manifests/${referrer('deleted').manifest.digest}`), 202);
  assert.deepEqual(await list(app), []);
});

test('those of the fallback tag are there too, each once, unless they are gone', async (t) => {
  const app = await registryApp(t);
  const [old, both] = [image('old').manifest, referrer('both').manifest];
  await app.pushImage('a', image('old'));
  await app.pushImage('a', referrer('both'));
  const absent: Content = {
    mediaType: mediaTypes.manifest,
    digest: digestOf(Buffer.from('absent')),
    bytes: Buffer.from('absent'),
  };
  const manifests = [{ ...descriptor(old), artifactType: 'x/y' }, descriptor(both)];
  const index = (children: unknown[]) =>
    json(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests: children });
  const tag = fallbackTag(subject.manifest.digest as Digest);
  expect(await app.pushManifest('a', index(manifests), tag), 201);
  const found = await list(app);
  assert.deepEqual(
    found.map(({ digest }) => digest),
    [old.digest, both.digest].toSorted(),
  );
  assert.equal(found.find(({ digest }) => digest === old.digest)?.artifactType, 'x/y');
  assert.equal(expect(await app.pushManifest('a', index([descriptor(absent)]), tag), 400).statusCode, 400);
});

test('a list that is too long comes in pages', async (t) => {
  const app = await registryApp(t);
  const size = 1_500_000;
  for (const seed of ['1', '2', '3', '4', '5']) {
    await app.pushImage('a', referrer(seed, { artifactType: 'x/y', annotations: { long: seed.repeat(size) } }));
  }
  const digests: string[] = [];
  let path: string | undefined = `a/referrers/${subject.manifest.digest}?artifactType=z&artifactType=x/y`;
  let pages = 0;
  while (path !== undefined) {
    const answer = expect(await app.send('GET', path), 200);
    assert.ok(answer.rawPayload.length < 4 * 2 ** 20);
    digests.push(...answer.json<{ manifests: Listed[] }>().manifests.map(({ digest }) => digest));
    path = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers['link'] ?? ''))?.[1];
    pages++;
  }
  assert.equal(pages, 3);
  assert.equal(new Set(digests).size, 5);
});
