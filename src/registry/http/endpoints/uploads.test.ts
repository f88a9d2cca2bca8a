import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LightMyRequestResponse } from 'fastify';
import { digestOf, seededBytes } from '#test/support/content.ts';
import { errorCodes, expect, octets, registryApp, type TestApp } from '#test/support/registry-app.ts';

const bytes = seededBytes('upload', 300_000);
const digest = digestOf(bytes);

function pathOf(response: LightMyRequestResponse): string {
  return new URL(String(response.headers['location'])).pathname;
}

async function start({ send }: TestApp, query = ''): Promise<string> {
  return pathOf(expect(await send('POST', `a/blobs/uploads/${query}`), 202));
}

test('a session: opened, filled, asked, closed', async (t) => {
  const app = await registryApp(t);
  const opened = expect(await app.send('POST', 'a/blobs/uploads/'), 202);
  assert.equal(opened.headers['range'], '0-0');
  assert.equal(opened.headers['content-length'], '0');
  const path = pathOf(opened);
  assert.equal(path, `/v2/a/blobs/uploads/${String(opened.headers['docker-upload-uuid'])}`);
  const patched = expect(await app.send('PATCH', path, { payload: bytes.subarray(0, 1000), headers: octets }), 202);
  assert.equal(patched.headers['range'], '0-999');
  const status = expect(await app.send('GET', path), 204);
  assert.equal(status.headers['range'], '0-999');
  assert.equal(pathOf(status), path);
  expect(await app.send('PATCH', path, { payload: bytes.subarray(1000), headers: octets }), 202);
  const closed = expect(await app.send('PUT', `${path}?digest=${digest}`), 201);
  assert.equal(pathOf(closed), `/v2/a/blobs/${digest}`);
  assert.equal(closed.headers['docker-content-digest'], digest);
  assert.ok(expect(await app.send('GET', pathOf(closed)), 200).rawPayload.equals(bytes));
  assert.deepEqual(errorCodes(expect(await app.send('GET', path), 404)), ['BLOB_UPLOAD_UNKNOWN']);
});

test('the last part may come with the PUT, or all of it', async (t) => {
  const app = await registryApp(t);
  const all = await start(app);
  expect(await app.send('PUT', `${all}?digest=${digest}`, { payload: bytes, headers: octets }), 201);
  const last = await start(app);
  expect(await app.send('PATCH', last, { payload: bytes.subarray(0, 7), headers: octets }), 202);
  const headers = { ...octets, 'content-range': `7-${bytes.length - 1}` };
  expect(await app.send('PUT', `${last}?digest=${digest}`, { payload: bytes.subarray(7), headers }), 201);
});

test('chunks in order, with and without the unit', async (t) => {
  const app = await registryApp(t);
  const path = await start(app);
  const chunk = (from: number, to: number, range: string) =>
    app.send('PATCH', path, { payload: bytes.subarray(from, to), headers: { ...octets, 'content-range': range } });
  expect(await chunk(0, 100, '0-99'), 202);
  expect(await chunk(100, 200, 'bytes 100-199/300000'), 202);
  expect(await chunk(200, bytes.length, `200-${bytes.length - 1}`), 202);
  expect(await app.send('PUT', `${path}?digest=${digest}`), 201);
});

test('a chunk out of order is 416, which says where to go on; the session lives', async (t) => {
  const app = await registryApp(t);
  const path = await start(app);
  const send = (method: string, target: string, range: string, payload = bytes.subarray(0, 10)) =>
    app.send(method, target, { payload, headers: { ...octets, 'content-range': range } });
  expect(await send('PATCH', path, '0-9'), 202);
  for (const range of ['0-9', '11-20', '5-14', '9-0', 'x', 'bytes=', '-']) {
    const refused = expect(await send('PATCH', path, range), 416);
    assert.deepEqual(errorCodes(refused), ['RANGE_INVALID']);
    assert.equal(pathOf(refused), path);
    assert.equal(refused.headers['range'], '0-9');
  }
  expect(await send('PUT', `${path}?digest=${digest}`, '0-9'), 416);
  assert.deepEqual(errorCodes(expect(await send('PATCH', path, '10-18'), 400)), ['SIZE_INVALID']);
  expect(await send('PATCH', path, `10-${bytes.length - 1}`, bytes.subarray(10)), 202);
  expect(await app.send('PUT', `${path}?digest=${digest}`), 201);
});

test('a closing PUT without a body ignores a Content-Range', async (t) => {
  const app = await registryApp(t);
  const path = await start(app);
  expect(await app.send('PATCH', path, { payload: bytes, headers: octets }), 202);
  const headers = { 'content-range': `0-${bytes.length - 1}` };
  expect(await app.send('PUT', `${path}?digest=${digest}`, { headers }), 201);
});

test('a digest that is missing, malformed or another one', async (t) => {
  const app = await registryApp(t);
  const path = await start(app);
  expect(await app.send('PATCH', path, { payload: bytes, headers: octets }), 202);
  for (const query of ['', '?digest=', '?digest=x', '?digest=sha256:00']) {
    assert.deepEqual(errorCodes(expect(await app.send('PUT', path + query), 400)), ['DIGEST_INVALID']);
  }
  const other = digestOf(Buffer.from('other'));
  assert.deepEqual(errorCodes(expect(await app.send('PUT', `${path}?digest=${other}`), 400)), ['DIGEST_INVALID']);
  expect(await app.send('GET', `a/blobs/${other}`), 404);
});

test('a whole blob in one POST', async (t) => {
  const app = await registryApp(t);
  const target = `a/blobs/uploads/?digest=${digest}`;
  const created = expect(await app.send('POST', target, { payload: bytes, headers: octets }), 201);
  assert.equal(pathOf(created), `/v2/a/blobs/${digest}`);
  const wrong = await app.send('POST', target, { payload: bytes.subarray(1), headers: octets });
  assert.deepEqual(errorCodes(expect(wrong, 400)), ['DIGEST_INVALID']);
  expect(await app.send('POST', 'a/blobs/uploads/?digest=x', { payload: bytes, headers: octets }), 400);
});

test('a POST that names a digest but has no body opens a session, except for the empty blob', async (t) => {
  const app = await registryApp(t);
  expect(await app.send('POST', `a/blobs/uploads/?digest=${digest}`), 202);
  const empty = digestOf(Buffer.alloc(0));
  expect(await app.send('POST', `a/blobs/uploads/?digest=${empty}`), 201);
  assert.equal(expect(await app.send('HEAD', `a/blobs/${empty}`), 200).headers['content-length'], '0');
});

test('sha512: announced, and not announced', async (t) => {
  const app = await registryApp(t);
  const sha512 = digestOf(bytes, 'sha512');
  for (const query of ['?digest-algorithm=sha512', '']) {
    const path = await start(app, query);
    const put = await app.send('PUT', `${path}?digest=${sha512}`, { payload: bytes, headers: octets });
    assert.equal(expect(put, 201).headers['docker-content-digest'], sha512);
  }
  const got = expect(await app.send('GET', `a/blobs/${sha512}`), 200);
  assert.equal(got.headers['docker-content-digest'], sha512);
  assert.ok(got.rawPayload.equals(bytes));
  expect(await app.send('POST', 'a/blobs/uploads/?digest-algorithm=md5'), 400);
});

test('a blob is mounted from a repository that has it, or from any when none is named', async (t) => {
  const app = await registryApp(t);
  await app.pushBlob('a', bytes, digest);
  const mounted = expect(await app.send('POST', `b/blobs/uploads/?mount=${digest}&from=a`), 201);
  assert.equal(pathOf(mounted), `/v2/b/blobs/${digest}`);
  assert.equal(mounted.headers['docker-content-digest'], digest);
  expect(await app.send('POST', `c/blobs/uploads/?mount=${digest}`), 201);
  expect(await app.send('GET', `c/blobs/${digest}`), 200);
});

test('what can not be mounted is to be uploaded', async (t) => {
  const app = await registryApp(t);
  await app.pushBlob('a', bytes, digest);
  const absent = digestOf(Buffer.from('absent'));
  for (const query of [
    `mount=${digest}&from=c`,
    `mount=${absent}&from=a`,
    `mount=${absent}`,
    'mount=x&from=a',
    `mount=${digest}&from=A..`,
  ]) {
    const opened = expect(await app.send('POST', `b/blobs/uploads/?${query}`), 202);
    assert.match(pathOf(opened), /^\/v2\/b\/blobs\/uploads\/[0-9a-f-]{36}$/);
  }
});

test('a session can be cancelled, once', async (t) => {
  const app = await registryApp(t);
  const path = await start(app);
  expect(await app.send('DELETE', path), 204);
  for (const method of ['DELETE', 'GET', 'PATCH', 'PUT']) {
    assert.deepEqual(errorCodes(expect(await app.send(method, `${path}?digest=${digest}`), 404)), [
      'BLOB_UPLOAD_UNKNOWN',
    ]);
  }
});

test('an id that can be none, and one of another repository, are unknown', async (t) => {
  const app = await registryApp(t);
  const path = await start(app);
  expect(await app.send('GET', path.replace('/v2/a/', '/v2/b/')), 404);
  for (const id of ['x', '00000000-0000-0000-0000-000000000000', `${path.slice(-36)}x`]) {
    const answer = await app.send('GET', `a/blobs/uploads/${id}`);
    assert.equal(answer.statusCode, 404, id);
  }
});

test('what distribution adds to the address of an upload does not matter', async (t) => {
  const app = await registryApp(t);
  const path = await start(app);
  expect(await app.send('PATCH', `${path}?_state=whatever`, { payload: bytes, headers: octets }), 202);
  expect(await app.send('PUT', `${path}?_state=whatever&digest=${encodeURIComponent(digest)}`), 201);
});

test('the type of the bytes does not matter, not even one that is none', async (t) => {
  const app = await registryApp(t);
  for (const type of ['text/plain', 'octets', ';;']) {
    const path = await start(app);
    expect(await app.send('PATCH', path, { payload: bytes, headers: { 'content-type': type } }), 202);
    expect(await app.send('PUT', `${path}?digest=${digest}`), 201);
  }
});
