import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { test } from 'node:test';
import type { ExchangeObserver } from '#registry/http/exchange.ts';
import { seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryApp } from '#test/support/registry-app.ts';
import type { Scope } from '#test/support/scope.ts';
import { createDrain } from './drain.ts';

async function listening(t: Scope) {
  let running = 0;
  const observer: ExchangeObserver = { started: () => running++, finished: () => running-- };
  const { app } = await registryApp(t, { observers: [observer] });
  const drain = createDrain(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return { drain, running: () => running, open: () => connect(port, '127.0.0.1').on('error', () => undefined) };
}

function beginPush(socket: Socket): void {
  socket.write('POST /v2/a/blobs/uploads/?digest=sha256:x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n');
  socket.write(seededBytes('drain', 500));
}

test('a connection on which nothing was said does not keep the server from closing', async (t) => {
  const { drain, open } = await listening(t);
  const silent = open();
  await once(silent, 'connect');
  await drain(60_000);
  await eventually(() => assert.ok(silent.closed));
});

test('what runs may end within the time, and no longer', async (t) => {
  const { drain, open, running } = await listening(t);
  const [silent, busy] = [open(), open()];
  beginPush(busy);
  await eventually(() => assert.equal(running(), 1));
  const drained = drain(2000);
  await once(silent.resume(), 'close');
  assert.equal(running(), 1);
  await drained;
  await eventually(() => assert.equal(running(), 0));
});
