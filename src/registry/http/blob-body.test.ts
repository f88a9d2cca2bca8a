/** Downloads over real sockets: whatever way one ends, its buffers come back and its file is closed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import type { BlobReader } from '#registry/storage/store.ts';
import { digestOf, seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { blobBody } from './blob-body.ts';
import { createBufferPool } from './buffer-pool.ts';
import { createReadTurns } from './read-turns.ts';

const bytes = seededBytes('body', 3_000_001);

/** More than sockets hold; of zeros. */
const hugeBytes = 1e9;

/** A server of one blob: those bytes, of which only `stored` are there, or zeros up to another size. */
async function serve(t: TestContext, { size = bytes.length, stored = bytes.length, beforeRead = async () => {} } = {}) {
  const pool = createBufferPool({ bigBytes: 64 * 1024, bigCount: 3, smallBytes: 4096, smallKept: 2 });
  const turns = createReadTurns();
  const state = { pool, open: 0, failures: [] as unknown[] };
  const reader = (): BlobReader => ({
    digest: digestOf(bytes) as Digest,
    size,
    async read(into, position) {
      await beforeRead();
      if (size === hugeBytes) return into.byteLength;
      return bytes.copy(into, 0, position, Math.min(stored, position + into.byteLength));
    },
    async close() {
      state.open--;
    },
  });
  const server = createServer((_, response) => {
    state.open++;
    blobBody(reader(), [{ start: 0, end: size - 1 }], { pool, turns })
      .send(response, () => response.writeHead(200, { 'content-length': size }))
      .catch((error: unknown) => {
        state.failures.push(error);
        response.destroy();
      });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { state, port, url: `http://127.0.0.1:${port}/` };
}

/** Asks, reads the beginning, and stops reading. */
async function startPull(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  t.after(() => socket.destroy());
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'data');
  return socket.pause();
}

test('one download, and thirty at once, with buffers of both sizes', async (t) => {
  const { state, url } = await serve(t);
  for (const count of [1, 30]) {
    const bodies = Array.from({ length: count }, async () => Buffer.from(await (await fetch(url)).arrayBuffer()));
    for (const body of await Promise.all(bodies)) assert.ok(body.equals(bytes));
    await eventually(() => assert.deepEqual([state.pool.used, state.open], [0, 0]));
  }
  assert.deepEqual(state.failures, []);
});

test('clients that leave half way, one or many', async (t) => {
  const { state, port } = await serve(t, { size: hugeBytes });
  for (const count of [1, 12]) {
    const sockets = await Promise.all(Array.from({ length: count }, () => startPull(t, port)));
    assert.equal(state.open, count);
    for (const socket of sockets) socket.destroy();
    await eventually(() => assert.deepEqual([state.pool.used, state.open], [0, 0]));
  }
  assert.deepEqual(state.failures, []);
});

test('a client that leaves while its download is read ahead', async (t) => {
  const gate = Promise.withResolvers<void>();
  let reads = 0;
  const beforeRead = async () => {
    if (++reads === 2) await gate.promise;
  };
  const { state, port } = await serve(t, { beforeRead });
  const socket = await startPull(t, port);
  await eventually(() => assert.equal(reads, 2));
  socket.destroy();
  gate.resolve();
  await eventually(() => assert.deepEqual([state.pool.used, state.open], [0, 0]));
});

test('a blob that is shorter than it should be', async (t) => {
  const { state, url } = await serve(t, { stored: 1_000_000 });
  await assert.rejects(async () => (await fetch(url)).arrayBuffer());
  await eventually(() => assert.deepEqual([state.pool.used, state.open], [0, 0]));
  assert.match(String(state.failures[0]), /ended at byte 1000000 of 3000001/);
});
