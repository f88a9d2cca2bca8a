import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import { image } from '#test/support/content.ts';
import { errorCodes, expect, registryApp, type TestApp } from '#test/support/registry-app.ts';

async function pushTags({ pushImage, pushManifest }: TestApp, tags: string[]): Promise<void> {
  await pushImage('a', image('tags'));
  for (const tag of tags) expect(await pushManifest('a', image('tags').manifest, tag), 201);
}

async function list({ send }: TestApp, path: string): Promise<{ entries: string[]; link: string | undefined }> {
  const answer = expect(await send('GET', path), 200);
  assert.equal(answer.headers['content-type'], 'application/json');
  const { tags, repositories } = answer.json<{ tags?: string[]; repositories?: string[] }>();
  return { entries: tags ?? repositories ?? [], link: answer.headers['link'] as string | undefined };
}

test('tags, in ASCII order, all of them at once unless pages are asked for', async (t) => {
  const app = await registryApp(t, { maxTags: 2 });
  await pushTags(app, ['b', 'a', 'B', '1', '_x']);
  assert.deepEqual(await list(app, 'a/tags/list'), { entries: ['1', 'B', '_x', 'a', 'b'], link: undefined });
  assert.deepEqual(expect(await app.send('GET', 'a/tags/list?n=0'), 200).json(), { name: 'a', tags: [] });
  assert.deepEqual((await list(app, 'a/tags/list?n=1000')).entries, ['1', 'B']);
});

test('pages of tags are linked, and the last one is not', async (t) => {
  const app = await registryApp(t);
  await pushTags(app, ['1', '2', '3', '4']);
  const first = await list(app, 'a/tags/list?n=2');
  assert.deepEqual(first, { entries: ['1', '2'], link: '</v2/a/tags/list?last=2&n=2>; rel="next"' });
  const second = await list(app, 'a/tags/list?last=2&n=2');
  assert.deepEqual(second, { entries: ['3', '4'], link: undefined });
  assert.deepEqual((await list(app, 'a/tags/list?last=25&n=1')).entries, ['3']);
  assert.deepEqual((await list(app, 'a/tags/list?last=9')).entries, []);
});

test('a number of entries that can be none', async (t) => {
  const app = await registryApp(t);
  await pushTags(app, ['1']);
  for (const n of ['-1', 'x', '1.5', '1e3', '99999999999999999999']) {
    for (const path of [`a/tags/list?n=${n}`, `_catalog?n=${n}`]) {
      assert.deepEqual(errorCodes(expect(await app.send('GET', path), 400)), ['PAGINATION_NUMBER_INVALID'], path);
    }
  }
});

test('an unknown repository has no list; one without tags has an empty one', async (t) => {
  const app = await registryApp(t);
  assert.deepEqual(errorCodes(expect(await app.send('GET', 'a/tags/list'), 404)), ['NAME_UNKNOWN']);
  await pushTags(app, ['1']);
  expect(await app.send('DELETE', 'a/manifests/1'), 202);
  assert.deepEqual(expect(await app.send('GET', 'a/tags/list'), 200).json(), { name: 'a', tags: [] });
});

test('the catalog, in pages of at most 100 unless more are asked for', async (t) => {
  const app = await registryApp(t, { maxEntries: 120 });
  const names = Array.from({ length: 101 }, (_, i) => `r${String(i).padStart(3, '0')}`);
  for (const name of names) await app.pushImage(name, image('catalog'), '1');
  const first = await list(app, '_catalog');
  assert.deepEqual(first, { entries: names.slice(0, 100), link: '</v2/_catalog?last=r099&n=100>; rel="next"' });
  assert.deepEqual(await list(app, '_catalog?last=r099&n=100'), { entries: ['r100'], link: undefined });
  assert.deepEqual((await list(app, '_catalog?n=120')).entries, names);
  assert.deepEqual((await list(app, '_catalog?n=0')).entries, []);
  assert.deepEqual(errorCodes(expect(await app.send('GET', '_catalog?n=121'), 400)), ['PAGINATION_NUMBER_INVALID']);
});

test('a Link keeps the prefix and the encoding of what was asked', async (t) => {
  const app = await registryApp(t, { prefix: '/registry/' });
  const { digest, mediaType, bytes } = image('prefix').manifest;
  const { manifests } = app.store.repository('a');
  await manifests.put({ digest: digest as Digest, mediaType, bytes }, { tags: ['x', 'y'] });
  const { link } = await list(app, '/registry/v2/a/tags/list?n=1');
  assert.equal(link, '</registry/v2/a/tags/list?last=x&n=1>; rel="next"');
});

test('a list that is asked for again shows what has changed since, and each path has its own', async (t) => {
  const app = await registryApp(t);
  await pushTags(app, ['1', '2', '3']);
  const page = () => list(app, 'a/tags/list?n=2');
  assert.deepEqual(await page(), await page());
  expect(await app.send('DELETE', 'a/manifests/1'), 202);
  assert.deepEqual(await page(), { entries: ['2', '3'], link: undefined });
  await pushTags(app, ['0']);
  assert.deepEqual(await page(), { entries: ['0', '2'], link: '</v2/a/tags/list?last=2&n=2>; rel="next"' });
  const { link } = await list(app, '/v2/%61/tags/list?n=2');
  assert.equal(link, '</v2/%61/tags/list?last=2&n=2>; rel="next"');
});
