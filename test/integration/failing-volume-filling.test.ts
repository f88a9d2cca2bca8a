/**
 * Large uploads, which threads of their own write, on a real volume that fills up under them, one alone and several at once:
 * each client is told, pulls go on, what was acknowledged stays, and of the rest no byte, file or descriptor is left, so that
 * the next push finds the room. No restart.
 */
import assert from 'node:assert/strict';
import { readdir, readFile, readlink, statfs } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf, image, seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { leftovers } from '#test/support/files-below.ts';
import { registryClient, type RegistryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';
import { canMount, smallVolume } from '#test/support/small-volume.ts';

const mebibyte = 2 ** 20;
const roomMiB = 64;
const repository = 'filling/volume';
/** MiB beyond what the server had: the clients' bytes are on their way to a disk that takes none, and must not gather. */
const growthLimit = 96;
/** The young generation comes and goes by tens of MiB, which would hide what uploads hold. */
const env = { NODE_OPTIONS: '--max-semi-space-size=4' };

interface Upload {
  bytes: Buffer;
  digest: string;
  location: URL;
}

interface Answer {
  status: number;
  body: string;
}

/** A body that is sent on although the answer may come first: then its connection may end before all is sent. */
function send(method: string, target: URL, body: Uint8Array = Buffer.alloc(0)): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    const outgoing = request(target, { method, headers: { 'content-length': body.byteLength } }, (response) => {
      answered = true;
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text })).on('error', reject);
    });
    outgoing.on('error', (error) => answered || reject(error)).end(body);
  });
}

async function begin({ url }: TestRegistry, name: string, sizeMiB: number): Promise<Upload> {
  const bytes = seededBytes(name, sizeMiB * mebibyte);
  const response = await fetch(new URL(`/v2/${repository}/blobs/uploads/`, url), { method: 'POST' });
  assert.equal(response.status, 202);
  return { bytes, digest: digestOf(bytes), location: new URL(response.headers.get('location') ?? '', url) };
}

/** All bytes in as many chunks; whether they were taken, or refused because the volume is full. */
async function push({ bytes, digest, location }: Upload, chunks: number): Promise<boolean> {
  const size = Math.ceil(bytes.length / chunks);
  for (let at = 0; at < bytes.length; at += size) {
    const { status, body } = await send('PATCH', location, bytes.subarray(at, at + size));
    if (status !== 202) return refused(location, { status, body });
  }
  const target = new URL(location);
  target.searchParams.set('digest', digest);
  const answer = await send('PUT', target);
  return answer.status === 201 || refused(location, answer);
}

/** Only for that reason, and the client has to begin again: what it had sent would fill the volume. */
async function refused(location: URL, { status, body }: Answer): Promise<false> {
  assert.equal(status, 507, body);
  assert.match(body, /"UNAVAILABLE".* is full/);
  assert.equal((await send('GET', location)).status, 404);
  return false;
}

/** Of files on the volume. */
async function descriptors({ pid, root }: TestRegistry): Promise<string[]> {
  const folder = `/proc/${pid()}/fd`;
  const links = (await readdir(folder)).map((name) => readlink(join(folder, name)).catch(() => ''));
  return (await Promise.all(links)).filter((target) => target.startsWith(root));
}

async function freeMiB({ root }: TestRegistry): Promise<number> {
  const { bavail, bsize } = await statfs(root);
  return (bavail * bsize) / mebibyte;
}

async function memoryMiB({ pid }: TestRegistry, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid()}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

/** Pulls until it is told to stop; then the number of pulls. */
function pullMeanwhile(client: RegistryClient): { stop(): Promise<number> } {
  const stop = new AbortController();
  const running = (async () => {
    let pulls = 0;
    for (; !stop.signal.aborted; pulls++) assert.ok((await client.pullAll(repository, 'x')) > 100_000);
    return pulls;
  })();
  return { stop: async () => (stop.abort(), running) };
}

interface Case {
  name: string;
  /** MiB of each upload; all at once. */
  sizes: number[];
  chunks: number;
}

const cases: Case[] = [
  { name: 'one upload that is larger than the room, in one request', sizes: [100], chunks: 1 },
  { name: 'one upload that is larger than the room, in many requests', sizes: [100], chunks: 13 },
  { name: 'uploads of which none fits beside the others', sizes: [40, 41, 42, 43], chunks: 1 },
  { name: 'small and large uploads, some of which fit', sizes: [3, 70, 4, 71, 5, 72, 6], chunks: 2 },
];

for (const { name, sizes, chunks } of canMount ? cases : []) {
  void test(`a volume that is filled by ${name}`, async (t) => {
    const scope = openScope();
    t.after(() => scope.close());
    const volume = await smallVolume(t, `${roomMiB}m`);
    const registry = await startRegistry(scope, { root: volume.folder, env });
    const client = registryClient(registry.url);
    await client.pushImage(repository, image('before', { layers: [100_000] }), 'x');
    const before = await memoryMiB(registry, 'VmRSS');

    const pulling = pullMeanwhile(client);
    const uploads = await Promise.all(sizes.map((size) => begin(registry, `${name}/${size}`, size)));
    const taken = await Promise.all(uploads.map((upload) => push(upload, chunks)));
    const pulls = await pulling.stop();
    const grown = (await memoryMiB(registry, 'VmHWM')) - before;
    const kept = uploads.filter((_, index) => taken[index]);
    t.diagnostic(`${kept.length} of ${sizes.length} taken, ${pulls} pulls meanwhile, ${grown.toFixed(0)} MiB more`);

    assert.ok(kept.length < sizes.length, 'the volume was filled');
    assert.ok(pulls > 0);
    assert.ok(grown < growthLimit, `${grown.toFixed(0)} MiB more`);
    for (const { digest } of kept) assert.ok(await client.blob(repository, digest));
    await eventually(async () =>
      assert.deepEqual([await leftovers(registry.root), await descriptors(registry)], [[], []]),
    );
    const used = kept.reduce((sum, { bytes }) => sum + bytes.length / mebibyte, 0);
    assert.ok((await freeMiB(registry)) > roomMiB - used - 1, `${await freeMiB(registry)} MiB are free`);

    const again = await begin(registry, `${name}/again`, Math.floor(roomMiB - used - 2));
    assert.ok(await push(again, chunks));
    assert.ok(await client.blob(repository, again.digest));
    assert.equal(await registry.kill('SIGTERM'), 0);
  });
}
