/** Clients that vanish in the middle, read nothing, or send a byte now and then, and what they cost the server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { digestOf, seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';

const scope = openScope();
const blob = seededBytes('unreliable', 8 << 20);
const digest = digestOf(blob);
const repository = 'unreliable/clients';
let registry: TestRegistry;

before(async () => {
  registry = await startRegistry(scope);
  await registryClient(registry.url).pushBlob(repository, blob, digest);
});

after(() => scope.close());

async function open(): Promise<Socket> {
  const socket = connect(Number(new URL(registry.url).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

function head(method: string, path: string, ...fields: string[]): string {
  return [`${method} ${path} HTTP/1.1`, `Host: ${registry.host}`, ...fields, '', ''].join('\r\n');
}

function openFiles(): Promise<string[]> {
  return readdir(`/proc/${registry.pid()}/fd`);
}

async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${registry.pid()}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function startUpload(): Promise<URL> {
  const response = await fetch(new URL(`/v2/${repository}/blobs/uploads/`, registry.url), { method: 'POST' });
  return new URL(response.headers.get('location') ?? '', registry.url);
}

/** Within two seconds in which this process runs: nobody is to blame for those in which the machine is held up. */
async function answersInTime(): Promise<void> {
  const late = new AbortController();
  let tenths = 0;
  const watch = setInterval(() => void (++tenths === 20 && late.abort(new Error('no answer within 2 s'))), 100);
  try {
    const response = await fetch(new URL(`/v2/${repository}/blobs/${digest}`, registry.url), {
      headers: { range: 'bytes=0-1023' },
      signal: late.signal,
    });
    assert.equal(response.status, 206);
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), blob.subarray(0, 1024));
  } finally {
    clearInterval(watch);
  }
}

test('an upload whose client vanished goes on where it broke off', async () => {
  const location = await startUpload();
  const socket = await open();
  socket.write(head('PATCH', location.pathname + location.search, `Content-Length: ${blob.length}`));
  socket.write(blob.subarray(0, 3 << 20));
  await eventually(async () => assert.ok((await received(location)) > 1 << 20));
  socket.destroy();

  const size = await eventually(async () => {
    const [first, second] = [await received(location), await received(location)];
    assert.equal(first, second);
    const response = await fetch(location, {
      method: 'PATCH',
      headers: { 'content-range': `${second}-${blob.length - 1}` },
      body: blob.subarray(second) as Uint8Array<ArrayBuffer>,
    });
    assert.equal(response.status, 202);
    return second;
  });
  assert.ok(size > 0 && size < blob.length);
  const target = new URL(location);
  target.searchParams.set('digest', digest);
  assert.equal((await fetch(target, { method: 'PUT' })).status, 201);
});

/** Bytes that the upload has. */
async function received(location: URL): Promise<number> {
  const response = await fetch(location);
  assert.equal(response.status, 204);
  const last = Number(/-(\d+)$/.exec(response.headers.get('range') ?? '')?.[1]);
  return last === 0 ? 0 : last + 1;
}

test('downloads that break off leave no file open', async () => {
  const files = (await openFiles()).length;
  for (let i = 0; i < 100; i++) {
    const socket = await open();
    socket.write(head('GET', `/v2/${repository}/blobs/${digest}`));
    await once(socket, 'data');
    socket.destroy();
  }
  await eventually(async () => assert.ok((await openFiles()).length <= files + 5));
  await answersInTime();
});

test('uploads that break off leave no file open', async () => {
  const files = (await openFiles()).length;
  for (let i = 0; i < 50; i++) {
    const location = await startUpload();
    const socket = await open();
    socket.write(head('PATCH', location.pathname + location.search, 'Transfer-Encoding: chunked'));
    socket.write(`10000\r\n${'x'.repeat(30_000)}`);
    await eventually(async () => assert.ok((await received(location)) > 0));
    socket.destroy();
  }
  await eventually(async () => assert.ok((await openFiles()).length <= files + 5));
  await answersInTime();
});

test('200 clients that read nothing, and 200 that never finish a request, keep nobody waiting', async () => {
  const before = await residentMiB();
  const sockets = await Promise.all(Array.from({ length: 400 }, open));
  const [readers, senders] = [sockets.slice(0, 200), sockets.slice(200)];
  for (const socket of readers) socket.pause().write(head('GET', `/v2/${repository}/blobs/${digest}`));
  for (const socket of senders) socket.write(`GET /v2/ HTTP/1.1\r\nHost: ${registry.host}\r\nX-Slow: `);
  for (let i = 0; i < 20; i++) {
    for (const socket of senders) socket.write('.');
    await answersInTime();
  }
  const grown = (await residentMiB()) - before;
  for (const socket of sockets) socket.destroy();
  assert.ok(grown < 256, `${grown.toFixed(0)} MiB more for 400 idle connections`);
});
