/** A thousand clients that pull a big blob and hardly read, against the real server: what they cost, and that it is given back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { digestOf, seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';

const pullers = 1000;
/** MiB: 24 of big buffers, 64 of small ones, and what a thousand connections and the server's young generation take. */
const growthLimit = 256;
const scope = openScope();
const blob = seededBytes('slow pullers', 256 << 20);
const digest = digestOf(blob);
const repository = 'slow/pullers';
let registry: TestRegistry;
let path: string;

before(async () => {
  registry = await startRegistry(scope);
  path = `/v2/${repository}/blobs/${digest}`;
  await registryClient(registry.url).pushBlob(repository, blob, digest);
});

after(() => scope.close());

/** Asks for all of the blob and reads its beginning only. */
async function startPull(): Promise<Socket> {
  const socket = connect(Number(new URL(registry.url).port), '127.0.0.1');
  scope.after(() => void socket.destroy());
  await once(socket, 'connect');
  socket.on('error', () => {}).write(`GET ${path} HTTP/1.1\r\nHost: ${registry.host}\r\n\r\n`);
  await once(socket, 'data');
  return socket.pause();
}

async function startPulls(): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < pullers) sockets.push(...(await Promise.all(Array.from({ length: 50 }, startPull))));
  return sockets;
}

/** A client that is slow, not dead: takes what is there and stops again. */
async function readABit(socket: Socket): Promise<void> {
  socket.resume();
  await once(socket, 'data');
  socket.pause();
}

async function openFiles(): Promise<number> {
  return (await readdir(`/proc/${registry.pid()}/fd`)).length;
}

/** Those of the volume. */
async function openBlobs(): Promise<number> {
  const folder = `/proc/${registry.pid()}/fd`;
  const links = (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => ''));
  return (await Promise.all(links)).filter((target) => target.startsWith(registry.root)).length;
}

async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${registry.pid()}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function answersInTime(): Promise<void> {
  const response = await fetch(new URL(path, registry.url), {
    headers: { range: `bytes=${100 << 20}-${(101 << 20) - 1}` },
    signal: AbortSignal.timeout(5000),
  });
  assert.equal(response.status, 206);
  assert.ok(Buffer.from(await response.arrayBuffer()).equals(blob.subarray(100 << 20, 101 << 20)));
}

async function pullsWhole(): Promise<void> {
  const response = await fetch(new URL(path, registry.url));
  assert.equal(response.status, 200);
  assert.equal(digestOf(Buffer.from(await response.arrayBuffer())), digest);
}

async function vanish(sockets: Socket[], files: number): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await eventually(async () => assert.ok((await openFiles()) <= files + 5));
}

test('a thousand slow pullers: memory is bounded, others are answered, and all is given back', async (t) => {
  await pullsWhole();
  // The server closes the file after the last byte has been sent.
  await eventually(async () => assert.equal(await openBlobs(), 0));
  const [files, memory] = [await openFiles(), await residentMiB()];
  const sockets = await startPulls();
  assert.ok((await openFiles()) >= files + 2 * pullers, 'each has a connection and a file');
  for (let round = 0; round < 3; round++) {
    await Promise.all(sockets.map(readABit));
    await answersInTime();
    const grown = (await residentMiB()) - memory;
    assert.ok(grown < growthLimit, `${grown.toFixed(0)} MiB more for ${pullers} slow pullers`);
    t.diagnostic(`${grown.toFixed(0)} MiB more for ${pullers} slow pullers`);
  }
  await pullsWhole();
  await vanish(sockets, files);

  // What the first thousand had not given back, the second would need anew.
  const memoryBetween = await residentMiB();
  const others = await startPulls();
  const grown = (await residentMiB()) - memoryBetween;
  await vanish(others, files);
  t.diagnostic(`${grown.toFixed(0)} MiB more for the second ${pullers}`);
  assert.ok(grown < growthLimit / 2, `${grown.toFixed(0)} MiB more for the second ${pullers}`);
  await pullsWhole();
});
