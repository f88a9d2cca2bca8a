/**
 * A thousand clients that push at once, much faster than a real slow disk takes it: memory is bounded, small pulls are answered,
 * and each push ends well.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent, request, type IncomingMessage } from 'node:http';
import { test, type TestContext } from 'node:test';
import { digestOf, image, seededBytes } from '#test/support/content.ts';
import { registryClient, type RegistryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';
import { canBeSlow, slowVolume } from '#test/support/slow-volume.ts';

const pushes = 1000;
const mebibyte = 2 ** 20;
const blobBytes = 640 * 1024;
const bytesPerSecond = 64 * mebibyte;
/**
 * MiB, nearly half of the way from what it takes to what it took without a bound for what all uploads hold (385, 600): beside the
 * 64 of that bound each connection has a piece in Node's hands and one in ours.
 */
const growthLimit = 480;
/** Pulls that one client gets through while the disk is busy for ten seconds at least: some thousand on a quiet machine. */
const pullsMeanwhile = 100;
const repository = 'slow/disk';
/** The young generation comes and goes by tens of MiB, which would hide what uploads hold. */
const env = { NODE_OPTIONS: '--max-semi-space-size=4' };

const common = seededBytes('slow disk', blobBytes);

function blobOf(number: number): Buffer {
  const bytes = Buffer.from(common);
  bytes.writeUInt32BE(number);
  return bytes;
}

function send(agent: Agent, method: string, target: URL, body: Uint8Array = Buffer.alloc(0)): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length };
    const outgoing = request(target, { agent, method, headers }, (answer) => {
      answer.resume().on('end', () => resolve(answer));
    });
    outgoing.on('error', reject).end(body);
  });
}

async function begin(agent: Agent, { url }: TestRegistry): Promise<URL> {
  const started = await send(agent, 'POST', new URL(`/v2/${repository}/blobs/uploads/`, url));
  return new URL(started.headers.location ?? '', url);
}

/** As docker does; gives the digest that was acknowledged. */
async function push(agent: Agent, location: URL, bytes: Buffer): Promise<string> {
  assert.equal((await send(agent, 'PATCH', location, bytes)).statusCode, 202);
  const digest = digestOf(bytes);
  const target = new URL(location);
  target.searchParams.set('digest', digest);
  assert.equal((await send(agent, 'PUT', target)).statusCode, 201);
  return digest;
}

/** Pulls until `signal` aborts; then their number. */
async function pullMeanwhile(client: RegistryClient, signal: AbortSignal): Promise<number> {
  let pulls = 0;
  for (; !signal.aborted; pulls++) await client.pullAll(repository, 'x');
  return pulls;
}

async function memoryMiB({ pid }: TestRegistry, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid()}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

async function pushAll(t: TestContext): Promise<void> {
  const scope = openScope();
  t.after(() => scope.close());
  const volume = await slowVolume(t, 1000 * mebibyte);
  const registry = await startRegistry(scope, { root: volume.folder, env });
  const client = registryClient(registry.url);
  await client.pushImage(repository, image('before'), 'x');
  const agent = new Agent({ keepAlive: true });
  scope.after(() => agent.destroy());
  const uploads = await Promise.all(Array.from({ length: pushes }, () => begin(agent, registry)));
  await volume.slowDown(registry.pid(), bytesPerSecond);
  const before = await memoryMiB(registry, 'VmRSS');
  const over = new AbortController();
  const pulling = pullMeanwhile(client, over.signal);

  const begun = performance.now();
  const digests = await Promise.all(uploads.map((upload, number) => push(agent, upload, blobOf(number))));
  const seconds = (performance.now() - begun) / 1000;
  over.abort();
  const pulls = await pulling;
  const grown = (await memoryMiB(registry, 'VmHWM')) - before;
  t.diagnostic(`${seconds.toFixed(0)} s, ${grown.toFixed(0)} MiB more, ${pulls} pulls`);
  const atLeast = (pushes * blobBytes) / bytesPerSecond;
  assert.ok(seconds > atLeast, `${seconds} s: the disk was not slow`);
  assert.ok(grown < growthLimit, `${grown.toFixed(0)} MiB more`);
  assert.ok(pulls >= pullsMeanwhile, `${pulls} pulls`);
  for (const digest of digests) assert.ok(await client.blob(repository, digest));
}

const skip = canBeSlow ? false : 'needs to mount, and cgroup v1 with blkio';
void test(`${pushes} pushes on a slow disk`, { skip }, pushAll);
