import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { createLogger } from '#shared/logger.ts';
import { eventually } from '#test/support/eventually.ts';
import type { Usage } from '#shared/usage.ts';
import { parseUsage } from '#shared/usage.ts';
import { directAccess } from './usage-access.ts';
import { createUsageWatcher, type UsageWatcher } from './usage-watcher.ts';

const usage: Usage = { complete: true, repositories: 1, tags: 1, manifests: 1, blobs: 2, bytes: 3, volume: null };
const request = { namespace: 'default', name: 'r' };

interface Fixture {
  watcher: UsageWatcher;
  address: string;
  /** Open connections, the newest last. */
  connections: ServerResponse[];
  changes: () => number;
  end: () => Promise<void>;
}

/** A debug port that says what the test wants it to, and a watcher of it. */
async function fixture(
  context: TestContext,
  answer: (response: ServerResponse) => void,
  backoff = { baseMs: 1, maxMs: 20 },
): Promise<Fixture> {
  const connections: ServerResponse[] = [];
  const server: Server = createServer((_request, response) => {
    connections.push(response);
    answer(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  let changes = 0;
  const watcher = createUsageWatcher({
    open: directAccess.open,
    onChange: () => changes++,
    log: createLogger({ level: 'silent' }),
    backoff,
    patienceMs: 0,
  });
  const ending = new AbortController();
  const running = watcher.run(ending.signal);
  const end = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  context.after(async () => {
    await end();
    server.closeAllConnections();
    server.close();
  });
  return { watcher, address: `http://127.0.0.1:${port}/`, connections, changes: () => changes, end };
}

const say = (response: ServerResponse, value: object): unknown => response.write(`${JSON.stringify(value)}\n`);

test('what the registry says is known at once; saying it again is no change', async (context) => {
  const { watcher, address, connections, changes } = await fixture(context, (response) => say(response, usage));
  watcher.follow(request, address);
  await eventually(() => assert.deepEqual(watcher.get(request), { usage }));
  const [connection] = connections;
  assert.ok(connection);
  say(connection, usage);
  say(connection, { ...usage, tags: 2 });
  await eventually(() => assert.equal(watcher.get(request).usage?.tags, 2));
  assert.equal(changes(), 2);
});

test('a connection that breaks is made again, and what was known stays known', async (context) => {
  const { watcher, address, connections } = await fixture(context, (response) =>
    say(response, { ...usage, tags: connections.length }),
  );
  watcher.follow(request, address);
  await eventually(() => assert.equal(watcher.get(request).usage?.tags, 1));
  connections[0]?.destroy();
  await eventually(() => assert.equal(watcher.get(request).usage?.tags, 2));
  assert.equal(watcher.get(request).problem, undefined);
});

test('a registry that cannot be asked, or talks nonsense, is a problem with a name', async (context) => {
  let answer = (response: ServerResponse): void => void response.writeHead(503).end();
  const { watcher, address } = await fixture(context, (response) => answer(response));
  watcher.follow(request, address);
  await eventually(() => assert.match(watcher.get(request).problem ?? '', /answered 503/));
  answer = (response) => void response.end('{"complete":true}\n');
  await eventually(() => assert.match(watcher.get(request).problem ?? '', /no count of repositories/));
  answer = (response) => say(response, usage);
  await eventually(() => assert.deepEqual(watcher.get(request), { usage }));
});

test('a registry that is seen to run is asked at once, however long the pause would be', async (context) => {
  let answer = (response: ServerResponse): void => void response.writeHead(503).end();
  const hours = { baseMs: 3_600_000, maxMs: 3_600_000 };
  const { watcher, address, connections } = await fixture(context, (response) => answer(response), hours);
  watcher.follow(request, address);
  await eventually(() => assert.ok(connections[0]?.writableFinished));
  answer = (response) => say(response, usage);
  await eventually(() => {
    watcher.follow(request, address);
    assert.deepEqual(watcher.get(request), { usage });
  });
});

test('a registry that is away for a moment is no problem yet', async (context) => {
  const { address, connections } = await fixture(context, (response) => void response.writeHead(503).end());
  const patient = createUsageWatcher({
    open: directAccess.open,
    onChange: () => {},
    log: createLogger({ level: 'silent' }),
    backoff: { baseMs: 1, maxMs: 1 },
    patienceMs: 60_000,
  });
  patient.follow(request, address);
  await eventually(() => assert.ok(connections.length > 3));
  assert.deepEqual(patient.get(request), {});
  patient.forget(request);
});

test('other Pods, or another address, mean another connection; forgotten means none', async (context) => {
  const { watcher, address, connections } = await fixture(context, (response) => say(response, usage));
  watcher.follow(request, address);
  await eventually(() => assert.equal(connections.length, 1));
  watcher.follow(request, address);
  watcher.follow(request, `${address}other`);
  await eventually(() => assert.equal(connections.length, 2));
  await eventually(() => assert.ok(connections[0]?.destroyed));
  watcher.follow(request, `${address}other`, 'pod-2');
  await eventually(() => assert.equal(connections.length, 3));
  await eventually(() => assert.ok(connections[1]?.destroyed));
  watcher.forget(request);
  await eventually(() => assert.ok(connections[2]?.destroyed));
  assert.deepEqual(watcher.get(request), {});
});

test('at the end all connections are closed, and no new one is made', async (context) => {
  const { watcher, address, connections, end } = await fixture(context, (response) => say(response, usage));
  watcher.follow(request, address);
  await eventually(() => assert.equal(connections.length, 1));
  await end();
  await eventually(() => assert.ok(connections[0]?.destroyed));
  watcher.follow({ ...request, name: 'other' }, address);
  assert.deepEqual(watcher.get({ ...request, name: 'other' }), {});
});

test('a line that is none is refused with what is wrong', () => {
  assert.deepEqual(parseUsage(JSON.stringify(usage)), usage);
  for (const line of ['', 'null', '[]', '{"repositories":-1}', JSON.stringify({ ...usage, volume: { capacity: 1 } })]) {
    assert.throws(() => parseUsage(line), line);
  }
});
