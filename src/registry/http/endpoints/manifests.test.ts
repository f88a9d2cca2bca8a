import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import {
  descriptor,
  digestOf,
  dockerImage,
  image,
  index,
  json,
  mediaTypes,
  type Content,
} from '#test/support/content.ts';
import { errorCodes, expect, registryApp, type TestAppOptions } from '#test/support/registry-app.ts';

const absent = `sha256:${'0'.repeat(64)}`;

test('a manifest comes back byte for byte with its exact type, by tag and by digest', async (t) => {
  const { send, pushImage } = await registryApp(t);
  for (const pushed of [image('oci'), dockerImage('docker')]) {
    await pushImage('a/b', pushed, 'x');
    for (const reference of ['x', pushed.manifest.digest]) {
      const got = expect(await send('GET', `a/b/manifests/${reference}`, { headers: { accept: 'text/plain' } }), 200);
      assert.deepEqual(got.rawPayload, pushed.manifest.bytes);
      assert.equal(got.headers['content-type'], pushed.manifest.mediaType);
      assert.equal(got.headers['docker-content-digest'], pushed.manifest.digest);
      assert.equal(got.headers['etag'], `"${pushed.manifest.digest}"`);
      assert.equal(got.headers['docker-distribution-api-version'], 'registry/2.0');
    }
  }
});

test('HEAD says what GET says, without the body', async (t) => {
  const { send, pushImage } = await registryApp(t);
  const { manifest } = image('head');
  await pushImage('a', image('head'), 'x');
  const head = expect(await send('HEAD', 'a/manifests/x'), 200);
  assert.equal(head.headers['content-length'], String(manifest.bytes.length));
  assert.equal(head.headers['docker-content-digest'], manifest.digest);
  assert.equal(head.rawPayload.length, 0);
  assert.equal((await send('HEAD', 'a/manifests/y')).statusCode, 404);
});

test('If-None-Match answers 304 with the headers of the entity', async (t) => {
  const { send, pushImage } = await registryApp(t);
  const { digest } = image('etag').manifest;
  await pushImage('a', image('etag'), 'x');
  for (const tag of [`"${digest}"`, digest, `W/"${digest}"`, `"other", "${digest}"`, '*']) {
    const got = expect(await send('GET', 'a/manifests/x', { headers: { 'if-none-match': tag } }), 304);
    assert.equal(got.headers['docker-content-digest'], digest);
    assert.equal(got.rawPayload.length, 0);
  }
  expect(await send('GET', 'a/manifests/x', { headers: { 'if-none-match': `"${absent}"` } }), 200);
});

test('a tag is read only while it points to what the client knows', async (t) => {
  const { send, pushImage } = await registryApp(t);
  const { digest } = image('read').manifest;
  await pushImage('a', image('read'), 'x');
  for (const tag of [`"${digest}"`, `"other", "${digest}"`, '*']) {
    expect(await send('GET', 'a/manifests/x', { headers: { 'if-match': tag } }), 200);
  }
  for (const tag of [`"${absent}"`, `W/"${digest}"`]) {
    const got = expect(await send('GET', 'a/manifests/x', { headers: { 'if-match': tag, 'if-none-match': '*' } }), 412);
    assert.deepEqual(errorCodes(got), ['DENIED']);
  }
  expect(await send('GET', 'a/manifests/y', { headers: { 'if-match': '*' } }), 404);
});

test('a push answers where the manifest is', async (t) => {
  const { pushImage, pushManifest } = await registryApp(t);
  const { manifest } = image('push');
  await pushImage('a/b', image('push'));
  const put = expect(await pushManifest('a/b', manifest, 'x'), 201);
  assert.equal(put.headers['location'], `http://localhost:80/v2/a/b/manifests/${manifest.digest}`);
  assert.equal(put.headers['docker-content-digest'], manifest.digest);
  assert.equal(put.headers['oci-subject'], undefined);
});

test('every blob that is missing is named', async (t) => {
  const { pushManifest, pushBlob } = await registryApp(t);
  const { manifest, blobs } = image('missing', { layers: [10, 20] });
  const [config, ...layers] = blobs as [Content, ...Content[]];
  await pushBlob('a', config.bytes, config.digest);
  const put = expect(await pushManifest('a', manifest, 'x'), 400);
  const { errors } = put.json<{ errors: { code: string; detail: { digest: string } }[] }>();
  assert.deepEqual(
    errors.map(({ code, detail }) => [code, detail.digest]),
    layers.map(({ digest }) => ['MANIFEST_BLOB_UNKNOWN', digest]),
  );
});

test('of very many blobs that are missing the first hundred are named, and how many more there are', async (t) => {
  const { pushManifest } = await registryApp(t);
  const missing = Array.from({ length: 20_000 }, (_, number) => json(mediaTypes.layer, number));
  const put = expect(await pushManifest('a', image('hostile', { shared: missing }).manifest, 'x'), 400);
  const { errors } = put.json<{ errors: { code: string; detail: unknown }[] }>();
  assert.deepEqual(new Set(errors.map(({ code }) => code)), new Set(['MANIFEST_BLOB_UNKNOWN']));
  assert.equal(errors.length, 101);
  assert.deepEqual(errors.at(-1)?.detail, { unnamed: missing.length + 2 - 100 });
  assert.ok(put.rawPayload.length < 32_768, `${put.rawPayload.length} bytes`);
});

test('of the children of an index few are read at a time, each of which needs an open file', async (t) => {
  const driver = createInMemoryDriver();
  let [reading, most] = [0, 0];
  const getContent: typeof driver.getContent = async (path) => {
    most = Math.max(most, ++reading);
    await new Promise((resolve) => setImmediate(resolve));
    return driver.getContent(path).finally(() => reading--);
  };
  const { pushManifest } = await registryApp(t, { driver: { ...driver, getContent } });
  const children = Array.from({ length: 200 }, (_, number) =>
    json(mediaTypes.index, { schemaVersion: 2, manifests: [], annotations: { number: `${number}` } }),
  );
  for (const child of children) expect(await pushManifest('a', child), 201);
  const manifests = [...children, ...children].map(descriptor);
  expect(await pushManifest('a', json(mediaTypes.index, { schemaVersion: 2, manifests }), 'x'), 201);
  assert.ok(most > 1 && most <= 32, `${most} read at a time`);
});

test('blobs of another repository are not those of this one', async (t) => {
  const { pushImage, pushManifest } = await registryApp(t);
  await pushImage('a', image('here'));
  assert.deepEqual(errorCodes(await pushManifest('b', image('here').manifest, 'x')), [
    'MANIFEST_BLOB_UNKNOWN',
    'MANIFEST_BLOB_UNKNOWN',
  ]);
});

const withIndex: [name: string, options: TestAppOptions['validation'] | undefined, status: number][] = [
  ['all children', undefined, 400],
  ['no child', { ...validation(), platforms: 'none' }, 201],
  [
    'the listed ones',
    { ...validation(), platforms: 'list', platformList: [{ os: 'linux', architecture: 'amd64' }] },
    201,
  ],
  [
    'a listed one that is missing',
    { ...validation(), platforms: 'list', platformList: [{ os: 'linux', architecture: 'arm64' }] },
    400,
  ],
  ['nothing, validation being off', { ...validation(), enabled: false }, 201],
];

function validation(): NonNullable<TestAppOptions['validation']> {
  return { enabled: true, sparse: false, urlAllow: [], urlDeny: [], platforms: 'all', platformList: [] };
}

for (const [name, options, status] of withIndex) {
  test(`an index of which ${name} must be here`, async (t) => {
    const { pushImage, pushManifest } = await registryApp(t, options ? { validation: options } : {});
    await pushImage('a', image('amd64'));
    expect(await pushManifest('a', index([image('amd64'), image('arm64')]), 'x'), status);
  });
}

test('a blob must be here though validation is off', async (t) => {
  const { pushManifest } = await registryApp(t, { validation: { ...validation(), enabled: false } });
  expect(await pushManifest('a', image('absent').manifest, 'x'), 400);
});

test('a sparse image is taken where the configuration says so', async (t) => {
  const { pushManifest } = await registryApp(t, { validation: { ...validation(), sparse: true } });
  expect(await pushManifest('a', image('absent').manifest, 'x'), 201);
});

function foreign(urls: string[]): Content {
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
    digest: absent,
    size: 1,
    urls,
  };
  const { mediaType, bytes } = image('foreign').manifest;
  return json(mediaType, { ...(JSON.parse(bytes.toString()) as object), layers: [layer] });
}

test('a layer that is elsewhere need not be here, where the rules for URLs allow it', async (t) => {
  const cases: [urls: string[], rules: Partial<TestAppOptions['validation']>, codes: string[]][] = [
    [['https://a.example/x'], {}, []],
    [[], {}, ['MANIFEST_BLOB_UNKNOWN']],
    [['ftp://a.example/x'], {}, ['MANIFEST_INVALID']],
    [['https://a.example/x#y'], {}, ['MANIFEST_INVALID']],
    [['https://a.example/x'], { urlAllow: [/^https:\/\/a\./] }, []],
    [['https://a.example/x', 'https://b.example/x'], { urlAllow: [/^https:\/\/a\./] }, ['MANIFEST_INVALID']],
    [['https://a.example/x'], { urlDeny: [/example/] }, ['MANIFEST_INVALID']],
  ];
  for (const [urls, rules, codes] of cases) {
    const { pushImage, pushManifest } = await registryApp(t, { validation: { ...validation(), ...rules } });
    await pushImage('a', image('foreign'));
    const put = await pushManifest('a', foreign(urls), 'x');
    assert.deepEqual(put.statusCode === 201 ? [] : errorCodes(put), codes, urls.join());
  }
});

test('a subject need not exist, and the answer says that it was understood', async (t) => {
  const { pushImage, pushManifest } = await registryApp(t);
  const subject = { mediaType: mediaTypes.manifest, digest: absent, size: 2 };
  const signature = image('signature', { fields: { subject } });
  await pushImage('a', signature);
  const put = expect(await pushManifest('a', signature.manifest), 201);
  assert.equal(put.headers['oci-subject'], absent);
});

test('one push by digest can set several tags', async (t) => {
  const { send, pushImage, pushManifest } = await registryApp(t);
  const { manifest } = image('tags');
  await pushImage('a', image('tags'));
  const put = expect(await pushManifest('a', manifest, `${manifest.digest}?tag=x&tag=y&tag=x`), 201);
  assert.deepEqual(put.headers['oci-tag'], ['x', 'y']);
  for (const tag of ['x', 'y']) expect(await send('GET', `a/manifests/${tag}`), 200);
  assert.deepEqual(errorCodes(await pushManifest('a', manifest, `${manifest.digest}?tag=-x`)), ['TAG_INVALID']);
});

test('a digest that is not that of the content is refused', async (t) => {
  const { pushImage, pushManifest } = await registryApp(t);
  await pushImage('a', image('other'));
  assert.deepEqual(errorCodes(await pushManifest('a', image('other').manifest, absent)), ['DIGEST_INVALID']);
});

test('sha512 names a manifest as well', async (t) => {
  const { send, pushImage, pushManifest } = await registryApp(t);
  const { manifest } = image('sha512');
  await pushImage('a', image('sha512'));
  const digest = digestOf(manifest.bytes, 'sha512');
  const put = expect(await pushManifest('a', manifest, `${digest}?tag=x`), 201);
  assert.equal(put.headers['docker-content-digest'], digest);
  const got = expect(await send('GET', 'a/manifests/x'), 200);
  assert.equal(got.headers['docker-content-digest'], digest);
  assert.deepEqual(got.rawPayload, manifest.bytes);
});

test('what is no manifest is refused with a reason', async (t) => {
  const { send } = await registryApp(t);
  const type = { 'content-type': mediaTypes.manifest };
  for (const payload of ['', '{', '[]', 'null', '"x"', '{}', '{"schemaVersion":1}', '{"schemaVersion":2,"config":7}']) {
    const put = expect(await send('PUT', 'a/manifests/x', { payload, headers: type }), 400);
    assert.deepEqual(errorCodes(put), ['MANIFEST_INVALID'], payload);
  }
  const deep = '['.repeat(200_000);
  assert.deepEqual(errorCodes(await send('PUT', 'a/manifests/x', { payload: deep, headers: type })), [
    'MANIFEST_INVALID',
  ]);
  const schema1 = JSON.stringify({ schemaVersion: 1, name: 'a', tag: 'x', fsLayers: [], signatures: [] });
  const headers = { 'content-type': 'application/vnd.docker.distribution.manifest.v1+prettyjws' };
  assert.deepEqual(errorCodes(await send('PUT', 'a/manifests/x', { payload: schema1, headers })), ['MANIFEST_INVALID']);
});

test('a Content-Type that is not that of the manifest is refused', async (t) => {
  const { send, pushImage } = await registryApp(t);
  const { manifest } = image('type');
  await pushImage('a', image('type'));
  const put = (headers: Record<string, string>) => send('PUT', 'a/manifests/x', { payload: manifest.bytes, headers });
  assert.deepEqual(errorCodes(await put({ 'content-type': mediaTypes.dockerManifest })), ['MANIFEST_INVALID']);
  expect(await put({ 'content-type': `${mediaTypes.manifest}; charset=utf-8` }), 201);
  expect(await put({}), 201);
});

test('a manifest above the limit is 413', async (t) => {
  const { send } = await registryApp(t, { manifestMaxBytes: 1000 });
  const headers = { 'content-type': mediaTypes.manifest };
  assert.deepEqual(
    errorCodes(expect(await send('PUT', 'a/manifests/x', { payload: 'x'.repeat(1001), headers }), 413)),
    ['MANIFEST_INVALID'],
  );
  expect(await send('PUT', 'a/manifests/x', { payload: 'x'.repeat(1000), headers }), 400);
});

test('deleting a tag leaves the manifest; deleting the manifest takes its tags along', async (t) => {
  const { send, pushImage, pushManifest } = await registryApp(t);
  const { manifest } = image('delete');
  await pushImage('a', image('delete'), 'x');
  expect(await pushManifest('a', manifest, 'y'), 201);
  expect(await send('DELETE', 'a/manifests/x'), 202);
  expect(await send('GET', 'a/manifests/x'), 404);
  expect(await send('GET', 'a/manifests/y'), 200);
  expect(await send('DELETE', `a/manifests/${manifest.digest}`), 202);
  for (const reference of ['y', manifest.digest]) {
    assert.deepEqual(errorCodes(expect(await send('GET', `a/manifests/${reference}`), 404)), ['MANIFEST_UNKNOWN']);
    expect(await send('DELETE', `a/manifests/${reference}`), 404);
  }
});

test('deletion has to be enabled', async (t) => {
  const { send, pushImage } = await registryApp(t, { deleteEnabled: false });
  const { manifest, blobs } = image('keep');
  await pushImage('a', image('keep'), 'x');
  for (const path of [`manifests/${manifest.digest}`, 'manifests/x', `blobs/${blobs[0]?.digest}`]) {
    assert.deepEqual(errorCodes(expect(await send('DELETE', `a/${path}`), 405)), ['UNSUPPORTED']);
  }
});

test('a reference that can be none', async (t) => {
  const { send } = await registryApp(t);
  assert.deepEqual(errorCodes(expect(await send('GET', 'a/manifests/sha256:abc'), 400)), ['DIGEST_INVALID']);
  assert.deepEqual(errorCodes(expect(await send('GET', 'a/manifests/.x'), 400)), ['TAG_INVALID']);
  assert.deepEqual(errorCodes(expect(await send('GET', 'a/manifests/x'), 404)), ['MANIFEST_UNKNOWN']);
});

test('an artifact without layers, and a descriptor with its media type only in the config', async (t) => {
  const { pushBlob, pushManifest } = await registryApp(t);
  const empty = Buffer.from('{}');
  await pushBlob('a', empty, digestOf(empty));
  const config = {
    ...descriptor({ mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(empty), bytes: empty }),
  };
  const artifact = json(mediaTypes.manifest, { schemaVersion: 2, artifactType: 'a/b', config, layers: [] });
  expect(await pushManifest('a', artifact, 'x'), 201);
});
