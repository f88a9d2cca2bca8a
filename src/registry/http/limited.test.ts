import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import { digestOf, image, seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { errorCodes, expect, registryApp } from '#test/support/registry-app.ts';
import type { Scope } from '#test/support/scope.ts';
import type { GateOptions } from './gate.ts';
import type { RequestLimits } from './limited.ts';

const off: GateOptions = { maxRunning: 0, maxInQueue: 0, maxWaitInQueue: 0 };
const one: GateOptions = { ...off, maxRunning: 1 };
const large = seededBytes('limited', 30_000_000);

/** A registry with a large blob, and a client of it that has asked for it and reads nothing. */
async function downloading(t: Scope, limits: RequestLimits) {
  const app = await registryApp(t, { limits });
  await app.pushBlob('a', large, digestOf(large));
  await app.pushImage('a', image('limited'), 'x');
  await app.app.listen({ host: '127.0.0.1', port: 0 });
  const slow = await client(t, app.app.server.address() as AddressInfo);
  slow.pause().write(`GET /v2/a/blobs/${digestOf(large)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await once(slow, 'readable');
  return { ...app, slow };
}

async function client(t: Scope, { port }: AddressInfo): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('reads above the limit are told when to come again; writes and /v2/ are not their business', async (t) => {
  const { send, pushImage, slow } = await downloading(t, { read: { ...one, maxWaitInQueue: 2500 }, write: off });
  for (const method of ['GET', 'HEAD']) {
    const refused = expect(await send(method, 'a/manifests/x'), 429);
    assert.equal(refused.headers['retry-after'], '3');
  }
  assert.deepEqual(errorCodes(await send('GET', 'a/tags/list')), ['TOOMANYREQUESTS']);
  expect(await send('GET', '/v2/'), 200);
  await pushImage('b', image('limited'), 'x');
  slow.resume();
  await once(slow, 'close');
  await eventually(async () => expect(await send('GET', 'a/manifests/x'), 200));
});

test('who waits in the queue gets its turn when a client that was served goes away', async (t) => {
  const { send, slow } = await downloading(t, { read: { ...one, maxInQueue: 1 }, write: off });
  // Fastify sends an injected request when somebody waits for it.
  const waiting = send('GET', 'a/manifests/x').then(({ statusCode }) => statusCode);
  const refused = await eventually(async () => expect(await send('GET', 'a/manifests/x'), 429));
  assert.equal(refused.headers['retry-after'], '1');
  slow.destroy();
  assert.equal(await waiting, 200);
});

test('places come back whatever a request ends with', async (t) => {
  const { send, pushImage, pushBlob } = await registryApp(t, { limits: { read: one, write: one } });
  await pushBlob('a', large, digestOf(large));
  for (let round = 0; round < 3; round++) {
    expect(await send('GET', 'a/manifests/none'), 404);
    expect(await send('PUT', 'a/manifests/x', { payload: '{' }), 400);
    expect(await send('GET', `a/blobs/${digestOf(large)}`), 200);
    expect(await send('HEAD', `a/blobs/${digestOf(large)}`), 200);
    await pushImage('a', image('limited'), 'x');
  }
});
