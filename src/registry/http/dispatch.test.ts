import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '#registry/oci/errors.ts';
import { image } from '#test/support/content.ts';
import { errorCodes, expect, octets, registryApp } from '#test/support/registry-app.ts';
import type { ExchangeRecord } from './exchange.ts';
import type { Endpoint } from './path.ts';

test('the base answers, with and without its slash; the root as well, for probes', async (t) => {
  const { send } = await registryApp(t);
  for (const path of ['/v2/', '/v2']) {
    const got = expect(await send('GET', path), 200);
    assert.equal(got.body, '{}');
    assert.equal(got.headers['content-type'], 'application/json');
    assert.equal(got.headers['docker-distribution-api-version'], 'registry/2.0');
  }
  assert.equal(expect(await send('HEAD', '/v2/'), 200).headers['content-length'], '2');
  assert.equal(expect(await send('GET', '/'), 200).body, '');
});

test('an address that leads nowhere is 404, in the form of the spec', async (t) => {
  const { send } = await registryApp(t);
  for (const path of ['/v1/', '/x', 'a', 'a/tags', '_oci', 'a/_oci/x/y', '/v2//manifests/x', '/v22/']) {
    assert.deepEqual(errorCodes(expect(await send('GET', path), 404)), ['UNSUPPORTED'], path);
  }
});

test('a name that can be none', async (t) => {
  const { send } = await registryApp(t);
  for (const name of ['A', 'a//b', '-a', 'a_', '_a', 'a..b', 'a/./b', `${'a/'.repeat(128)}a`, '%00', 'a%20b', 'ä']) {
    const answer = await send('GET', `${name}/manifests/x`);
    assert.ok([400, 404].includes(answer.statusCode), name);
  }
  assert.deepEqual(errorCodes(await send('GET', 'A/manifests/x')), ['NAME_INVALID']);
});

test('percent signs that mean nothing are 400 or 404', async (t) => {
  const { send } = await registryApp(t);
  for (const path of ['/v2/%zz/manifests/x', '/v2/%', '/v2/a/manifests/%ff']) {
    assert.ok([400, 404].includes((await send('GET', path)).statusCode), path);
  }
});

const methods: [path: string, allow: string][] = [
  ['/v2/', 'GET, HEAD, OPTIONS'],
  ['_catalog', 'GET, HEAD, OPTIONS'],
  ['a/tags/list', 'GET, HEAD, OPTIONS'],
  ['a/manifests/x', 'GET, PUT, DELETE, HEAD, OPTIONS'],
  [`a/blobs/sha256:${'0'.repeat(64)}`, 'GET, HEAD, DELETE, OPTIONS'],
  ['a/blobs/uploads/', 'POST, OPTIONS'],
  ['a/blobs/uploads/x', 'GET, PATCH, PUT, DELETE, HEAD, OPTIONS'],
];

for (const [path, allow] of methods) {
  test(`${path} takes ${allow}`, async (t) => {
    const { send } = await registryApp(t);
    assert.equal(expect(await send('OPTIONS', path), 200).headers['allow'], allow);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE']) {
      if (allow.includes(method)) continue;
      const refused = expect(await send(method, path), 405);
      assert.equal(refused.headers['allow'], allow);
      assert.deepEqual(errorCodes(refused), ['UNSUPPORTED']);
    }
  });
}

test('configured headers are in every answer', async (t) => {
  const { send } = await registryApp(t, { headers: { 'X-A': ['b'], 'X-C': ['d', 'e'] } });
  const payload = Buffer.from('x');
  for (const [method, path] of [
    ['GET', '/v2/'],
    ['GET', 'a/manifests/x'],
    ['GET', '/nowhere'],
    ['GET', '/v2/%zz'],
    ['PUT', 'a/manifests/x'],
  ] as const) {
    const { headers } = await send(
      method,
      path,
      method === 'PUT' ? { payload, headers: { 'content-type': 'no type' } } : {},
    );
    assert.deepEqual([String(headers['x-a']), headers['x-c']], ['b', ['d', 'e']], path);
    assert.equal(headers['docker-distribution-api-version'], 'registry/2.0', path);
  }
});

test('a request keeps its id when it has a sane one', async (t) => {
  const { send } = await registryApp(t);
  const idOf = async (id: string) =>
    (await send('GET', '/v2/', { headers: { 'x-request-id': id } })).headers['x-request-id'];
  assert.equal(await idOf('req-1/a.b'), 'req-1/a.b');
  for (const id of ['', 'a b', '<script>', 'x'.repeat(129)]) assert.match(String(await idOf(id)), /^[0-9a-f-]{36}$/);
});

test('a prefix: below it is the registry, and elsewhere nothing', async (t) => {
  const { send } = await registryApp(t, { prefix: '/registry/' });
  expect(await send('GET', '/registry/v2/'), 200);
  expect(await send('GET', '/v2/'), 404);
  const opened = expect(await send('POST', '/registry/v2/a/blobs/uploads/'), 202);
  assert.match(String(opened.headers['location']), /^http:\/\/localhost:80\/registry\/v2\/a\/blobs\/uploads\//);
});

test('read-only: nothing is changed, everything is served', async (t) => {
  const { send, store } = await registryApp(t, { readOnly: true });
  assert.ok(store);
  const digest = `sha256:${'0'.repeat(64)}`;
  const writes: [method: string, path: string][] = [
    ['POST', 'a/blobs/uploads/'],
    ['PATCH', 'a/blobs/uploads/x'],
    ['PUT', 'a/blobs/uploads/x'],
    ['DELETE', 'a/blobs/uploads/x'],
    ['PUT', 'a/manifests/x'],
    ['DELETE', `a/manifests/${digest}`],
    ['DELETE', `a/blobs/${digest}`],
  ];
  for (const [method, path] of writes) {
    const refused = expect(await send(method, path, { payload: 'x', headers: octets }), 405);
    assert.deepEqual(errorCodes(refused), ['UNSUPPORTED']);
    assert.match(String(refused.headers['allow']), /^(?:GET, HEAD, )?OPTIONS$/);
  }
  expect(await send('GET', 'a/manifests/x'), 404);
});

test('while a health check fails every request is 503', async (t) => {
  let healthy = false;
  const checkHealth = () => {
    if (!healthy) throw new RegistryError('UNAVAILABLE', { detail: { disk: 'gone' } });
  };
  const { send } = await registryApp(t, { checkHealth });
  assert.deepEqual(errorCodes(expect(await send('GET', '/v2/'), 503)), ['UNAVAILABLE']);
  healthy = true;
  expect(await send('GET', '/v2/'), 200);
});

test('observers hear of every request', async (t) => {
  const started: Endpoint[] = [];
  const finished: ExchangeRecord[] = [];
  const observer = {
    started: (endpoint: Endpoint) => void started.push(endpoint),
    finished: (record: ExchangeRecord) => void finished.push(record),
  };
  const { send, pushImage } = await registryApp(t, { observers: [observer] });
  await pushImage('a', image('observed'), 'x');
  finished.length = 0;
  await send('GET', 'a/manifests/x', { headers: { 'x-request-id': 'one' } });
  await send('HEAD', 'a/manifests/y');
  await send('GET', '/nowhere');
  assert.deepEqual(
    finished.map(({ endpoint, method, status }) => [endpoint, method, status]),
    [
      ['manifest', 'GET', 200],
      ['manifest', 'HEAD', 404],
      [undefined, 'GET', 404],
    ],
  );
  assert.equal(finished[0]?.id, 'one');
  assert.equal(finished[0]?.responseBytes, image('observed').manifest.bytes.length);
  assert.equal(started.filter((endpoint) => endpoint === 'manifest').length, 3);
});

test('a storage that fails is our fault: 500, without a word of what it was, which the log gets', async (t) => {
  const records: ExchangeRecord[] = [];
  const app = await registryApp(t, { observers: [{ finished: (record) => void records.push(record) }] });
  await app.store.close();
  Object.defineProperty(app.catalog, 'tags', { value: () => Promise.reject(new Error('/secret/path: EIO')) });
  const answer = expect(await app.send('GET', 'a/tags/list'), 500);
  assert.deepEqual(errorCodes(answer), ['UNKNOWN']);
  assert.doesNotMatch(answer.body, /secret/);
  assert.match(String(records[0]?.error), /EIO/);
});
