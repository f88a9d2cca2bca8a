import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Occurrence } from '#registry/notifications/event.ts';
import { descriptor, image, index, mediaTypes } from '#test/support/content.ts';
import { expect, octets, registryApp, type TestAppOptions } from '#test/support/registry-app.ts';

async function fixture(t: TestContext, options: TestAppOptions = {}) {
  const told: Occurrence[] = [];
  const app = await registryApp(t, {
    ...options,
    events: { publish: async (occurrence) => void told.push(occurrence) },
  });
  /** What was told since the last call. */
  const news = () => told.splice(0).map(({ action, target }) => ({ action, ...target }));
  return { ...app, told, news };
}

const base = 'http://localhost:80/v2';

test('a push tells of each blob, and of the manifest with its tag', async (t) => {
  const { pushImage, news } = await fixture(t);
  const { blobs, manifest } = image('push');
  await pushImage('a/b', image('push'), 'v1');
  const repository = 'a/b';
  const blobEvents = blobs.map(({ digest, bytes: { length } }) => ({
    action: 'push',
    mediaType: 'application/octet-stream',
    digest,
    size: length,
    length,
    repository,
    url: `${base}/a/b/blobs/${digest}`,
  }));
  const { digest, mediaType } = manifest;
  const size = manifest.bytes.length;
  const url = `${base}/a/b/manifests/${digest}`;
  assert.deepEqual(news(), [
    ...blobEvents,
    { action: 'push', mediaType, digest, size, length: size, repository, url, tag: 'v1' },
  ]);
});

test('a chunked upload is told of at its end only', async (t) => {
  const { send, news } = await fixture(t);
  const [blob] = image('chunked').blobs;
  const { location } = expect(await send('POST', 'a/blobs/uploads/'), 202).headers;
  const path = new URL(String(location)).pathname;
  expect(await send('PATCH', path, { payload: blob!.bytes, headers: octets }), 202);
  assert.deepEqual(news(), []);
  expect(await send('PUT', `${path}?digest=${blob!.digest}`), 201);
  assert.deepEqual(
    news().map(({ action, digest, size }) => [action, digest, size]),
    [['push', blob!.digest, blob!.bytes.length]],
  );
});

test('a pull is told of, a HEAD, a 304 and a failure are not', async (t) => {
  const { send, pushImage, news } = await fixture(t);
  const { blobs, manifest } = image('pull');
  await pushImage('a', image('pull'), 'v1');
  news();
  const [config] = blobs;
  for (const path of ['a/manifests/v1', `a/blobs/${config!.digest}`]) expect(await send('HEAD', path), 200);
  expect(await send('GET', 'a/manifests/v1', { headers: { 'if-none-match': manifest.digest } }), 304);
  expect(await send('GET', 'a/manifests/v2'), 404);
  assert.deepEqual(news(), []);
  expect(await send('GET', 'a/manifests/v1'), 200);
  expect(await send('GET', `a/manifests/${manifest.digest}`), 200);
  expect(await send('GET', `a/blobs/${config!.digest}`), 200);
  for (const range of ['bytes=1-2', 'bytes=1-2,4-5'])
    expect(await send('GET', `a/blobs/${config!.digest}`, { headers: { range } }), 206);
  assert.deepEqual(
    news().map(({ action, digest, size, tag }) => [action, digest, size, tag]),
    [
      ['pull', manifest.digest, manifest.bytes.length, 'v1'],
      ['pull', manifest.digest, manifest.bytes.length, undefined],
      ['pull', config!.digest, config!.bytes.length, undefined],
      ['pull', config!.digest, config!.bytes.length, undefined],
      ['pull', config!.digest, config!.bytes.length, undefined],
    ],
  );
});

test('a mount names its source, a deletion what was deleted', async (t) => {
  const { send, pushImage, news } = await fixture(t);
  const { blobs, manifest } = image('mount');
  await pushImage('from', image('mount'), 'v1');
  news();
  const { digest, bytes } = blobs[0]!;
  expect(await send('POST', `to/blobs/uploads/?mount=${digest}&from=from`), 201);
  expect(await send('DELETE', `to/blobs/${digest}`), 202);
  expect(await send('DELETE', 'from/manifests/v1'), 202);
  expect(await send('DELETE', `from/manifests/${manifest.digest}`), 202);
  const size = bytes.length;
  const url = `${base}/to/blobs/${digest}`;
  const nothing = { action: 'delete', mediaType: '', size: 0 };
  assert.deepEqual(news(), [
    {
      action: 'mount',
      mediaType: 'application/octet-stream',
      digest,
      size,
      length: size,
      repository: 'to',
      url,
      fromRepository: 'from',
    },
    { ...nothing, digest, repository: 'to' },
    { ...nothing, digest: '', repository: 'from', tag: 'v1' },
    { ...nothing, digest: manifest.digest, repository: 'from' },
  ]);
});

test('references are told of where they are asked for, and who it was', async (t) => {
  const authenticator = { authenticate: async () => ({ name: 'somebody', unrestricted: true }) };
  const { pushImage, pushManifest, told } = await fixture(t, { eventReferences: true, authenticator });
  const one = image('one');
  await pushImage('a', one);
  expect(await pushManifest('a', index([one]), 'v1'), 201);
  const [image1, index1] = told.slice(-2);
  assert.deepEqual(image1?.target.references, one.blobs.map(descriptor));
  assert.deepEqual(
    index1?.target.references?.map((reference) => (reference as { digest: string }).digest),
    [one.manifest.digest],
  );
  assert.equal(index1?.target.mediaType, mediaTypes.index);
  assert.equal(index1?.actor, 'somebody');
  assert.equal(index1?.request.method, 'PUT');
  assert.match(index1?.request.addr ?? '', /^127\.0\.0\.1:/);
});
