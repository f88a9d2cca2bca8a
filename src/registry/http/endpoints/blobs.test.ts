import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { digestOf, seededBytes } from '#test/support/content.ts';
import { errorCodes, expect, registryApp } from '#test/support/registry-app.ts';

const small = seededBytes('small', 1000);
const large = seededBytes('large', 3_000_001);

for (const bytes of [small, large, Buffer.alloc(0)]) {
  test(`a blob of ${bytes.length} bytes`, async (t) => {
    const { send, pushBlob } = await registryApp(t);
    const digest = digestOf(bytes);
    await pushBlob('a', bytes, digest);
    const got = expect(await send('GET', `a/blobs/${digest}`), 200);
    assert.ok(got.rawPayload.equals(bytes));
    const head = expect(await send('HEAD', `a/blobs/${digest}`), 200);
    for (const { headers } of [got, head]) {
      assert.equal(headers['content-type'], 'application/octet-stream');
      assert.equal(headers['content-length'], String(bytes.length));
      assert.equal(headers['docker-content-digest'], digest);
      assert.equal(headers['etag'], `"${digest}"`);
      assert.equal(headers['accept-ranges'], 'bytes');
      assert.equal(headers['cache-control'], 'max-age=31536000');
    }
    assert.equal(head.rawPayload.length, 0);
    expect(await send('GET', `a/blobs/${digest}`, { headers: { 'if-none-match': `"${digest}"` } }), 304);
    expect(await send('HEAD', `a/blobs/${digest}`, { headers: { 'if-none-match': '*' } }), 304);
    for (const method of ['GET', 'HEAD']) {
      expect(await send(method, `a/blobs/${digest}`, { headers: { 'if-match': `"${digest}"` } }), 200);
      expect(await send(method, `a/blobs/${digest}`, { headers: { 'if-match': '"other"' } }), 412);
    }
  });
}

const parts: [range: string, start: number, end: number][] = [
  ['bytes=500-1499', 500, 1500],
  ['bytes=500-', 500, large.length],
  ['bytes=-500', large.length - 500, large.length],
  ['bytes=2000-999999999', 2000, large.length],
  ['bytes=0-0', 0, 1],
  ['bytes=262143-262144', 262_143, 262_145],
];

for (const [range, start, end] of parts) {
  test(`a part of a large blob: ${range}`, async (t) => {
    const { send, pushBlob } = await registryApp(t);
    const digest = digestOf(large);
    await pushBlob('a', large, digest);
    const got = expect(await send('GET', `a/blobs/${digest}`, { headers: { range } }), 206);
    assert.equal(got.headers['content-range'], `bytes ${start}-${end - 1}/${large.length}`);
    assert.equal(got.headers['content-length'], String(end - start));
    assert.ok(got.rawPayload.equals(large.subarray(start, end)));
  });
}

test('any range of a blob gives those bytes', async (t) => {
  const { send, pushBlob } = await registryApp(t);
  const digest = digestOf(large);
  await pushBlob('a', large, digest);
  const position = fc.nat(large.length - 1);
  const property = fc.asyncProperty(position, position, async (a, b) => {
    const [start, end] = [Math.min(a, b), Math.max(a, b)];
    const got = expect(await send('GET', `a/blobs/${digest}`, { headers: { range: `bytes=${start}-${end}` } }), 206);
    assert.ok(got.rawPayload.equals(large.subarray(start, end + 1)));
  });
  await fc.assert(property, { numRuns: 40 });
});

for (const bytes of [small, large]) {
  test(`several ranges of ${bytes.length} bytes come as parts, in the order that was asked for`, async (t) => {
    const { send, pushBlob } = await registryApp(t);
    const digest = digestOf(bytes);
    await pushBlob('a', bytes, digest);
    const middle = Math.floor(bytes.length / 2);
    const range = `bytes=${middle}-,0-9, 20-${middle - 1},${bytes.length}-`;
    const got = expect(await send('GET', `a/blobs/${digest}`, { headers: { range } }), 206);
    const parts: [number, number][] = [
      [middle, bytes.length - 1],
      [0, 9],
      [20, middle - 1],
    ];
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(String(got.headers['content-type']))?.[1];
    const expected = parts.map(([start, end], index) => [
      Buffer.from(`${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: application/octet-stream\r\n`),
      Buffer.from(`Content-Range: bytes ${start}-${end}/${bytes.length}\r\n\r\n`),
      bytes.subarray(start, end + 1),
    ]);
    assert.ok(got.rawPayload.equals(Buffer.concat([...expected.flat(), Buffer.from(`\r\n--${boundary}--\r\n`)])));
    assert.equal(got.headers['content-length'], String(got.rawPayload.length));
    assert.equal(got.headers['content-range'], undefined);
  });
}

test('a range that can not be had is 416 and says how long the blob is', async (t) => {
  const { send, pushBlob } = await registryApp(t);
  await pushBlob('a', small, digestOf(small));
  for (const range of ['bytes=1000-', 'bytes=500-0', 'bytes=-0']) {
    const got = expect(await send('GET', `a/blobs/${digestOf(small)}`, { headers: { range } }), 416);
    assert.deepEqual(errorCodes(got), ['RANGE_INVALID']);
    assert.equal(got.headers['content-range'], 'bytes */1000');
  }
});

test('all is sent when the range is of another kind, or the blob is not the one that the client has a part of', async (t) => {
  const { send, pushBlob } = await registryApp(t);
  const digest = digestOf(small);
  await pushBlob('a', small, digest);
  const whole: Record<string, string>[] = [
    { range: 'lines=1-2' },
    { range: 'bytes=0-5,4-6' },
    { range: `bytes=${Array.from({ length: 40 }, (_, i) => `${2 * i}-${2 * i}`).join()}` },
    { range: 'bytes=0-1', 'if-range': '"other"' },
    { range: 'bytes=0-1', 'if-range': 'Tue, 24 Nov 2026 00:00:00 GMT' },
  ];
  for (const headers of whole) expect(await send('GET', `a/blobs/${digest}`, { headers }), 200);
  expect(await send('GET', `a/blobs/${digest}`, { headers: { range: 'bytes=0-1', 'if-range': `"${digest}"` } }), 206);
});

test('a blob is in the repositories that it was pushed to or mounted in, and in no other', async (t) => {
  const { send, pushBlob } = await registryApp(t);
  const digest = digestOf(small);
  await pushBlob('a', small, digest);
  assert.deepEqual(errorCodes(expect(await send('GET', `b/blobs/${digest}`), 404)), ['BLOB_UNKNOWN']);
  expect(await send('HEAD', `b/blobs/${digest}`), 404);
  expect(await send('DELETE', `b/blobs/${digest}`), 404);
  expect(await send('DELETE', `a/blobs/${digest}`), 202);
  expect(await send('GET', `a/blobs/${digest}`), 404);
});

test('a digest that can be none', async (t) => {
  const { send } = await registryApp(t);
  for (const digest of ['x', 'sha256:', 'sha256:xyz', `md5:${'0'.repeat(32)}`, `sha256:${'A'.repeat(64)}`]) {
    assert.deepEqual(errorCodes(expect(await send('GET', `a/blobs/${digest}`), 400)), ['DIGEST_INVALID']);
  }
});

test('a percent-encoded digest is the same', async (t) => {
  const { send, pushBlob } = await registryApp(t);
  await pushBlob('a', small, digestOf(small));
  expect(await send('GET', `a/blobs/${encodeURIComponent(digestOf(small))}`), 200);
});
