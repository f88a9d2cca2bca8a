/** A thousand clients that send a good part of a blob as fast as they can and then stall, against the real server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { digestOf, seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';

const uploaders = 1000;
/**
 * MiB: 64 that all uploads may hold, up to 128 KiB for each of them in the streams of Node, and what a thousand connections and
 * the server's young generation take. Without a bound they would hold a gigabyte and a half.
 */
const growthLimit = 320;
/** The young generation comes and goes by tens of MiB, which would hide what uploads hold. */
const env = { NODE_OPTIONS: '--max-semi-space-size=4' };
const scope = openScope();
const blob = seededBytes('slow uploaders', 2 << 20);
const digest = digestOf(blob);
const sentFirst = blob.subarray(0, 1 << 20);
const repository = 'slow/uploaders';
let registry: TestRegistry;

before(async () => {
  registry = await startRegistry(scope, { env });
});

after(() => scope.close());

interface Uploader {
  location: URL;
  socket: Socket;
}

async function startUpload(): Promise<Uploader> {
  const response = await fetch(new URL(`/v2/${repository}/blobs/uploads/`, registry.url), { method: 'POST' });
  const location = new URL(response.headers.get('location') ?? '', registry.url);
  const socket = connect(Number(location.port), location.hostname).on('error', () => {});
  scope.after(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(`PATCH ${location.pathname}${location.search} HTTP/1.1\r\nHost: ${registry.host}\r\n`);
  socket.write(`Content-Length: ${blob.length}\r\n\r\n`);
  return { location, socket };
}

async function startUploads(): Promise<Uploader[]> {
  const all: Uploader[] = [];
  while (all.length < uploaders) all.push(...(await Promise.all(Array.from({ length: 50 }, startUpload))));
  return all;
}

async function memoryMiB(field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${registry.pid()}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

/** Bytes that the server has received of an upload. */
async function received({ location }: Uploader): Promise<number> {
  const response = await fetch(location);
  assert.equal(response.status, 204);
  return Number(/-(\d+)$/.exec(response.headers.get('range') ?? '')?.[1]) + 1;
}

async function finish({ location, socket }: Uploader): Promise<void> {
  socket.write(blob.subarray(sentFirst.length));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1.1 202 /);
  const target = new URL(location);
  target.searchParams.set('digest', digest);
  assert.equal((await fetch(target, { method: 'PUT' })).status, 201);
}

test(`${uploaders} stalled uploads: memory is bounded, others push meanwhile, and each of them can go on`, async (t) => {
  const all = await startUploads();
  await writeFile(`/proc/${registry.pid()}/clear_refs`, '5');
  const before = await memoryMiB('VmRSS');
  for (const { socket } of all) socket.write(sentFirst);
  const other = seededBytes('another push', 8 << 20);
  await registryClient(registry.url).pushBlob(repository, other, digestOf(other));
  for (const uploader of all) {
    await eventually(async () => assert.equal(await received(uploader), sentFirst.length), { timeoutMs: 60_000 });
  }
  const grown = (await memoryMiB('VmHWM')) - before;
  t.diagnostic(`${grown.toFixed(0)} MiB more at the peak, ${(await memoryMiB('VmRSS')).toFixed(0)} MiB in the end`);
  assert.ok(grown < growthLimit, `${grown.toFixed(0)} MiB more for ${uploaders} uploads`);
  for (const uploader of all.slice(0, 20)) await finish(uploader);
  for (const { socket } of all) socket.destroy();
});
