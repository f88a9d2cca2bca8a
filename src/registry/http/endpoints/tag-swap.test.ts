import assert from 'node:assert/strict';
import { test } from 'node:test';
import { image, type Content } from '#test/support/content.ts';
import { errorCodes, expect, registryApp, type TestApp } from '#test/support/registry-app.ts';
import type { Scope } from '#test/support/scope.ts';

const absent = `sha256:${'0'.repeat(64)}`;
const images = ['one', 'two', 'three'].map((name) => image(name));
const [one, two, three] = images.map(({ manifest }) => manifest) as [Content, Content, Content];

/** All blobs are there; `x` points to the first image, whose manifest is the only one. */
async function tagged(
  t: Scope,
): Promise<TestApp & { put: (reference: string, what: Content, headers: object) => Put }> {
  const app = await registryApp(t);
  for (const { blobs } of images) for (const { bytes, digest } of blobs) await app.pushBlob('a', bytes, digest);
  expect(await app.pushManifest('a', one, 'x'), 201);
  const put = (reference: string, { bytes, mediaType }: Content, headers: object) =>
    app.send('PUT', `a/manifests/${reference}`, {
      payload: bytes,
      headers: { 'content-type': mediaType, ...headers },
    });
  return { ...app, put };
}

type Put = ReturnType<TestApp['send']>;

async function pointsTo({ send }: TestApp, tag: string): Promise<unknown> {
  return (await send('HEAD', `a/manifests/${tag}`)).headers['docker-content-digest'];
}

test('a tag moves only from what the client knows of', async (t) => {
  const app = await tagged(t);
  for (const stale of [`"${absent}"`, `W/"${one.digest}"`, `"${two.digest}"`]) {
    const refused = expect(await app.put('x', two, { 'if-match': stale }), 412);
    assert.deepEqual(errorCodes(refused), ['DENIED']);
    const { errors } = refused.json<{ errors: { detail: object }[] }>();
    assert.deepEqual(errors[0]?.detail, { tag: 'x', current: one.digest });
  }
  assert.equal(await pointsTo(app, 'x'), one.digest);
  expect(await app.send('HEAD', `a/manifests/${two.digest}`), 404);
  expect(await app.put('x', two, { 'if-match': `"${absent}", "${one.digest}"` }), 201);
  assert.equal(await pointsTo(app, 'x'), two.digest);
});

test('a tag that is not there matches nothing, and one that is there is not made again', async (t) => {
  const app = await tagged(t);
  expect(await app.put('y', one, { 'if-match': '*' }), 412);
  expect(await app.put('y', one, { 'if-none-match': '*' }), 201);
  expect(await app.put('y', one, { 'if-none-match': '*' }), 412);
  expect(await app.put('y', two, { 'if-none-match': `"${one.digest}"` }), 412);
  expect(await app.put('y', two, { 'if-match': '*', 'if-none-match': `"${two.digest}"` }), 201);
});

test('of all the tags of a push either each is set or none', async (t) => {
  const app = await tagged(t);
  expect(await app.put(`${two.digest}?tag=y&tag=x&tag=z`, two, { 'if-none-match': '*' }), 412);
  for (const tag of ['y', 'z']) assert.equal(await pointsTo(app, tag), undefined);
  expect(await app.put(`${two.digest}?tag=y&tag=z`, two, { 'if-none-match': '*' }), 201);
  assert.equal(await pointsTo(app, 'z'), two.digest);
});

test('without tags the condition is about the manifest', async (t) => {
  const { put } = await tagged(t);
  expect(await put(one.digest, one, { 'if-none-match': '*' }), 412);
  expect(await put(two.digest, two, { 'if-match': '*' }), 412);
  expect(await put(two.digest, two, { 'if-none-match': '*' }), 201);
});

test('of clients that replace the same at once one wins', async (t) => {
  const app = await tagged(t);
  const all = await Promise.all([one, two, three].map((what) => app.put('new', what, { 'if-none-match': '*' })));
  assert.deepEqual(
    all.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b),
    [201, 412, 412],
  );
  const won = all.find(({ statusCode }) => statusCode === 201)?.headers['docker-content-digest'];
  assert.equal(await pointsTo(app, 'new'), won);
});

test('only what the client knows of is deleted', async (t) => {
  const { send } = await tagged(t);
  const remove = (reference: string, headers: Record<string, string>) =>
    send('DELETE', `a/manifests/${reference}`, { headers });
  for (const reference of ['x', one.digest]) {
    for (const headers of [{ 'if-match': `"${two.digest}"` }, { 'if-none-match': '*' }]) {
      assert.deepEqual(errorCodes(expect(await remove(reference, headers), 412)), ['DENIED']);
    }
    expect(await send('HEAD', `a/manifests/${reference}`), 200);
  }
  expect(await remove('x', { 'if-match': `"${one.digest}"` }), 202);
  expect(await remove('x', { 'if-match': '*' }), 404);
  expect(await remove(one.digest, { 'if-match': '*' }), 202);
  expect(await remove(one.digest, { 'if-match': '*' }), 404);
});
