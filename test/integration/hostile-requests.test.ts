/**
 * Bad requests by the thousand over real connections, and a thousand clients that send a byte now and then or nothing at
 * all: no answer is a 5xx, memory is bounded, no file comes into being outside of the root or stays in it, those that are
 * slow are thrown out, and honest clients notice nothing. FUZZ_SEED=7 sends the same again, FUZZ_REQUESTS sets the number.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { image } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { seededRandom } from '#test/support/random.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { hostileRequest, type HostileRequest } from './hostile-requests/requests.ts';

const requests = Number(process.env['FUZZ_REQUESTS'] ?? 20_000);
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const connections = 16;
const slowClients = 1000;
/** Milliseconds. Headers have 30 s (src/registry/app.ts), and Node looks for connections that are too late every 30 s. */
const slowEnd = 75_000;
/** MiB. Ten thousand bad requests may not cost as much as one copy of what they sent. */
const mostGrowth = 64;
/** V8's young generation comes and goes by tens of MiB, which would hide what stays. */
const env = { NODE_OPTIONS: '--max-semi-space-size=4' };
/** Milliseconds after which the sender of a request that is not whole goes away. */
const patience = 200;

/** All that comes back until the connection ends, or nothing more comes. */
function answered(port: number, { bytes, unfinished }: HostileRequest): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1');
    socket.setEncoding('latin1').on('data', (text: string) => (received += text));
    socket.on('error', () => {}).once('close', () => resolve(received));
    socket.setTimeout(patience, () => socket.destroy());
    if (unfinished) socket.write(bytes, () => socket.destroy());
    else socket.write(bytes);
  });
}

function statusesIn(answer: string): number[] {
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}

interface Tally {
  answers: number;
  /** Status codes and how often they came. */
  statuses: Map<number, number>;
}

async function sendAll(port: number, count: number, random: () => number, tally: Tally): Promise<void> {
  let left = count;
  const send = async (): Promise<void> => {
    while (left-- > 0) {
      const request = hostileRequest(random);
      const answer = await answered(port, request);
      for (const status of statusesIn(answer)) {
        tally.answers++;
        tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
        assert.ok(status < 500, `${request.bytes.toString('latin1').slice(0, 2000)}\n\n${answer}`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, send));
}

async function residentMiB({ pid }: TestRegistry): Promise<number> {
  const status = await readFile(`/proc/${pid()}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  return files.toSorted();
}

interface SlowClient {
  socket: Socket;
  /** Milliseconds from its connection to its end; `undefined` while it lasts. */
  ended: () => number | undefined;
}

async function slowClient(port: number): Promise<SlowClient> {
  const socket = connect(port, '127.0.0.1')
    .on('error', () => {})
    .resume();
  const begun = performance.now();
  let ended: number | undefined;
  socket.once('close', () => (ended = performance.now() - begun));
  await once(socket, 'connect');
  return { socket, ended: () => ended };
}

/** Half of them say nothing; the others begin a request and send a byte of its head each second. */
async function openSlowClients(port: number): Promise<{ clients: SlowClient[]; stop: () => void }> {
  const clients = await Promise.all(Array.from({ length: slowClients }, () => slowClient(port)));
  const dribbling = clients.slice(0, slowClients / 2);
  for (const { socket } of dribbling) socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const timer = setInterval(() => {
    for (const { socket } of dribbling) if (socket.writable) socket.write('.');
  }, 1000);
  const stop = () => {
    clearInterval(timer);
    for (const { socket } of clients) socket.destroy();
  };
  return { clients, stop };
}

test(`${requests} bad requests beside ${slowClients} slow clients (FUZZ_SEED=${seed})`, async (t) => {
  const scope = openScope();
  t.after(() => scope.close());
  const outside = await temporaryFolder(scope);
  const root = join(outside, 'some/where/data');
  await mkdir(root, { recursive: true });
  const maintenance = { uploadpurging: { enabled: true, age: '1s', interval: '1s', dryrun: false } };
  const storage = { filesystem: { rootdirectory: root }, delete: { enabled: true }, maintenance };
  const registry = await startRegistry(scope, { root, config: { storage }, env });
  const port = Number(new URL(registry.url).port);
  const client = registryClient(registry.url);
  await client.pushImage('kept/image', image('kept'), 'x');
  const before = await filesBelow(outside);

  const { clients, stop } = await openSlowClients(port);
  scope.after(stop);
  const random = seededRandom(seed);
  const tally: Tally = { answers: 0, statuses: new Map() };
  await sendAll(port, requests / 2, random, tally);
  const warm = await residentMiB(registry);
  await sendAll(port, requests / 2, random, tally);
  const grown = (await residentMiB(registry)) - warm;
  const statuses = [...tally.statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
  t.diagnostic(
    `${tally.answers} answers: ${statuses.join(', ')}; ${warm.toFixed(0)} MiB, then ${grown.toFixed(1)} more`,
  );
  assert.ok(grown < mostGrowth, `${grown.toFixed(0)} MiB more after the second half`);
  assert.ok(tally.answers > requests / 2, 'most requests got an answer');

  await eventually(() => assert.equal(clients.filter(({ ended }) => ended() === undefined).length, 0), {
    timeoutMs: slowEnd,
    intervalMs: 500,
  });
  await eventually(async () => assert.deepEqual(await filesBelow(outside), before));
  await client.pushImage('fuzz', image('afterwards'), 'x');
  assert.ok((await client.pullAll('fuzz', 'x')) > 0);
  assert.ok((await client.pullAll('kept/image', 'x')) > 0);
  assert.equal(await registry.kill('SIGTERM'), 0);
});
