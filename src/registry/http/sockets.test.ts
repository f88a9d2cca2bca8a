/** What only shows over a real connection: streams, clients that stop or vanish, requests that are no HTTP. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { digestOf, image, seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { diskError, faultyDriver } from '#test/support/faulty-driver.ts';
import { registryApp, type TestApp, type TestAppOptions } from '#test/support/registry-app.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { explainVolumeError } from '#registry/storage/drivers/volume-errors.ts';
import type { Scope } from '#test/support/scope.ts';
import { accessLog } from './access-log.ts';
import type { ExchangeObserver, ExchangeRecord } from './exchange.ts';
import type { Endpoint } from './path.ts';

interface Served extends TestApp {
  url: string;
  /** Sends `text` as it stands; resolves with all that comes back until the connection ends. */
  raw: (text: string) => Promise<string>;
  open: () => Socket;
  started: Endpoint[];
  records: ExchangeRecord[];
}

async function serve(scope: Scope, options: TestAppOptions = {}): Promise<Served> {
  const started: Endpoint[] = [];
  const records: ExchangeRecord[] = [];
  const observer: ExchangeObserver = {
    started: (endpoint) => void started.push(endpoint),
    finished: (record) => void records.push(record),
  };
  const test = await registryApp(scope, { observers: [observer], ...options });
  await test.app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = test.app.server.address() as AddressInfo;
  const sockets = new Set<Socket>();
  scope.after(() => sockets.forEach((socket) => socket.destroy()));
  const open = () => {
    const socket = connect(port, '127.0.0.1');
    sockets.add(socket);
    socket.on('error', () => undefined);
    return socket;
  };
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      let received = '';
      const socket = open();
      socket.setEncoding('latin1').on('data', (chunk: string) => (received += chunk));
      socket.once('close', () => resolve(received));
      socket.write(text, 'latin1');
    });
  return { ...test, url: `http://127.0.0.1:${port}`, raw, open, started, records };
}

const close = 'Host: x\r\nConnection: close\r\n';

test('a large blob comes whole, to several clients at once', async (t) => {
  const { url, pushBlob } = await serve(t);
  const bytes = seededBytes('large', 5_000_000);
  await pushBlob('a', bytes, digestOf(bytes));
  const get = async () => Buffer.from(await (await fetch(`${url}/v2/a/blobs/${digestOf(bytes)}`)).arrayBuffer());
  for (const got of await Promise.all(Array.from({ length: 8 }, get))) assert.ok(got.equals(bytes));
});

test('a client that leaves in the middle of a download is noticed, and the next one is served', async (t) => {
  const { url, open, pushBlob, records } = await serve(t);
  const bytes = seededBytes('leave', 20_000_000);
  await pushBlob('a', bytes, digestOf(bytes));
  const socket = open();
  socket.write(`GET /v2/a/blobs/${digestOf(bytes)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  socket.once('data', () => socket.destroy());
  const record = await eventually(() => {
    const found = records.find(({ aborted }) => aborted);
    assert.ok(found);
    return found;
  });
  assert.equal(record.error, undefined);
  const whole = await fetch(`${url}/v2/a/blobs/${digestOf(bytes)}`);
  assert.equal((await whole.arrayBuffer()).byteLength, bytes.length);
});

test('an upload that breaks off keeps what arrived, and goes on from there', async (t) => {
  const { url, open, send, records } = await serve(t);
  const bytes = seededBytes('break', 500_000);
  const opened = await fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST' });
  const path = new URL(opened.headers.get('location') ?? '').pathname;
  const socket = open();
  socket.write(`PATCH ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`);
  socket.write(bytes.subarray(0, 200_000), () => socket.destroy());
  const kept = await eventually(async () => {
    const status = await send('GET', path);
    const size = Number(/^0-(\d+)$/.exec(String(status.headers['range']))?.[1]) + 1;
    assert.ok(size > 1, 'nothing arrived yet');
    const headers = { 'content-range': `${size}-${bytes.length - 1}` };
    const rest = await fetch(url + path, {
      method: 'PATCH',
      headers,
      body: bytes.subarray(size) as Uint8Array<ArrayBuffer>,
    });
    assert.equal(rest.status, 202);
    return size;
  });
  assert.ok(kept <= 200_000);
  const broken = records.find(({ aborted, method }) => aborted && method === 'PATCH');
  assert.ok(broken && broken.error === undefined);
  assert.equal(broken.status, 499);
  const put = await fetch(`${url}${path}?digest=${digestOf(bytes)}`, { method: 'PUT' });
  assert.equal(put.status, 201);
});

test('the length of a manifest and of a blob is announced, and the types have no charset', async (t) => {
  const { raw, pushImage } = await serve(t);
  const { manifest, blobs } = image('raw');
  await pushImage('a', image('raw'), 'x');
  const got = await raw(`GET /v2/a/manifests/x HTTP/1.1\r\n${close}\r\n`);
  assert.match(got, new RegExp(`\r\nContent-Type: ${manifest.mediaType.replace(/[.+]/g, '\\$&')}\r\n`));
  assert.match(got, new RegExp(`\r\nContent-Length: ${manifest.bytes.length}\r\n`));
  const head = await raw(`HEAD /v2/a/blobs/${blobs[1]?.digest} HTTP/1.1\r\n${close}\r\n`);
  assert.match(head, /\r\nContent-Type: application\/octet-stream\r\n/);
  assert.match(head, /\r\nContent-Length: 1000\r\n/);
  assert.ok(head.endsWith('\r\n\r\n'));
});

test('a refusal reaches a client that is still sending, and the connection ends', async (t) => {
  const { raw } = await serve(t, { manifestMaxBytes: 1000 });
  const body = 'x'.repeat(3_000_000);
  const answer = await raw(
    `PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assert.match(answer, /\r\nConnection: close\r\n/);
  assert.match(answer, /MANIFEST_INVALID/);
});

test('a body of unknown length is cut off at the limit', async (t) => {
  const { raw } = await serve(t, { manifestMaxBytes: 1000 });
  const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`;
  const answer = await raw(
    `PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}0\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 413 /);
});

const malformed: [name: string, text: string, status: number][] = [
  ['nonsense', 'hello\r\n\r\n', 400],
  ['TLS on the plain port', '\x16\x03\x01\x02\x00\x01\x00', 400],
  ['a header that is too large', `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 431],
  ['too long an address', `GET /v2/${'a'.repeat(100_000)} HTTP/1.1\r\n${close}\r\n`, 431],
  ['two lengths', `PUT /v2/a/manifests/x HTTP/1.1\r\n${close}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx`, 400],
  [
    'a length and chunks',
    `PUT /v2/a/manifests/x HTTP/1.1\r\n${close}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['a length that is no number', `PUT /v2/a/manifests/x HTTP/1.1\r\n${close}Content-Length: x\r\n\r\n`, 400],
  ['a method that does not exist', `FETCH /v2/ HTTP/1.1\r\n${close}\r\n`, 400],
  ['a percent sign that means nothing', `GET /v2/%zz/tags/list HTTP/1.1\r\n${close}\r\n`, 404],
  [
    'a Content-Type that is none',
    `PUT /v2/a/manifests/x HTTP/1.1\r\n${close}Content-Type: ;;\r\nContent-Length: 1\r\n\r\nx`,
    400,
  ],
  ['a path out of the root', `GET /v2/../../etc/passwd HTTP/1.1\r\n${close}\r\n`, 404],
  ['dots in a name', `GET /v2/a/../../b/manifests/x HTTP/1.1\r\n${close}\r\n`, 400],
  ['encoded dots in a name', `GET /v2/a/%2e%2e/%2e%2e/b/manifests/x HTTP/1.1\r\n${close}\r\n`, 400],
  ['a zero byte in a tag', `GET /v2/a/manifests/x%00 HTTP/1.1\r\n${close}\r\n`, 400],
];

for (const [name, text, status] of malformed) {
  test(`${name}: ${status} with an error in the form of the spec`, async (t) => {
    const { raw } = await serve(t);
    const answer = await raw(text);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.match(answer, /\r\n\r\n\{"errors":\[\{"code":"[A-Z_]+","message":"[^"]+"/);
  });
}

test('an absolute address is the same as a path', async (t) => {
  const { raw } = await serve(t);
  assert.match(await raw(`GET http://registry.example/v2/ HTTP/1.1\r\n${close}\r\n`), /^HTTP\/1\.1 200 /);
});

test('some requests in one go are answered in order; a flood of them ends the connection, and others are served', async (t) => {
  const { raw, pushImage, url } = await serve(t);
  await pushImage('a', image('pipelined'), 'x');
  const one = 'GET /v2/a/tags/list HTTP/1.1\r\nHost: x\r\n\r\n';
  const last = `GET /v2/a/manifests/x HTTP/1.1\r\n${close}\r\n`;
  const answers = await raw(one.repeat(20) + last);
  assert.equal(answers.match(/HTTP\/1\.1 200 /g)?.length, 21);
  assert.ok(answers.endsWith(image('pipelined').manifest.bytes.toString('latin1')));

  const flooded = await raw(one.repeat(2000) + last);
  assert.ok((flooded.match(/HTTP\/1\.1 200 /g)?.length ?? 0) < 2000);
  assert.equal((await fetch(`${url}/v2/a/tags/list`)).status, 200);
});

test('a client that expects 100 is told to go on', async (t) => {
  const { raw } = await serve(t);
  const answer = await raw(
    `POST /v2/a/blobs/uploads/ HTTP/1.1\r\n${close}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`,
  );
  assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 202 /);
});

test('while the server stops, what runs is finished and told that the connection ends', async (t) => {
  const { app, url, open, started } = await serve(t);
  const bytes = seededBytes('drain', 1000);
  const opened = await fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST' });
  const path = new URL(opened.headers.get('location') ?? '').pathname;
  const socket = open().setEncoding('latin1');
  let received = '';
  socket.on('data', (chunk: string) => (received += chunk));
  socket.write(`PUT ${path}?digest=${digestOf(bytes)} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n`);
  socket.write(bytes.subarray(0, 500));
  await eventually(() => assert.ok(started.includes('upload')));
  const closed = app.close();
  socket.write(bytes.subarray(500));
  await closed;
  await eventually(() => assert.match(received, /^HTTP\/1\.1 201 [^]*\r\nConnection: close\r\n/));
});

test('a push that the disk refuses half way is answered and logged, and the server goes on', async (t) => {
  const driver = faultyDriver(createInMemoryDriver(), (action) => {
    if (action === 'write') throw explainVolumeError(diskError('ENOSPC'), '/volume');
  });
  const lines: string[] = [];
  const logger = pino({}, { write: (line) => void lines.push(line) });
  const { url, app } = await serve(t, { driver, observers: [accessLog(logger, false)] });
  const bytes = seededBytes('too much', 3_000_000) as Uint8Array<ArrayBuffer>;
  const target = `${url}/v2/a/blobs/uploads/?digest=${digestOf(bytes)}`;
  const headers = { 'content-type': 'application/octet-stream' };
  assert.equal((await fetch(target, { method: 'POST', body: bytes, headers })).status, 507);
  await eventually(() => assert.match(lines.join(''), /"http.request.remoteaddr":"127.0.0.1:\d+".*507/));
  assert.equal((await app.inject('/v2/')).statusCode, 200);
});
