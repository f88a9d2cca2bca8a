/** Deliveries to a real receiver. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Registry } from 'prom-client';
import { createLogger } from '#shared/logger.ts';
import { eventReceiver, type EventReceiver } from '#test/support/event-receiver.ts';
import { eventually } from '#test/support/eventually.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createBreaker } from './breaker.ts';
import type { EndpointOptions } from './endpoint.ts';
import type { Occurrence } from './event.ts';
import { notificationMetrics } from './metrics.ts';
import { openNotifications, type Notifications, type NotificationsOptions } from './notifications.ts';

const logger = createLogger({ level: 'silent' });

function endpoint(receiver: EventReceiver, more: Partial<EndpointOptions> = {}): EndpointOptions {
  return {
    name: 'receiver',
    url: receiver.url,
    headers: { Authorization: ['Bearer x'], 'X-Twice': ['1', '2'] },
    // Longer than this process may be held up, or what has arrived arrives twice.
    timeoutMs: 30_000,
    threshold: 3,
    backoffMs: 50,
    ignoredMediaTypes: [],
    ignoredActions: [],
    ...more,
  };
}

type More = Pick<NotificationsOptions, 'lease' | 'inheritEveryMs'>;

/** Delivering, until the test ends or `stop` is called. */
async function started(t: TestContext, endpoints: EndpointOptions[], folder?: string, more: More = {}) {
  const register = new Registry();
  const notifications = await openNotifications({
    endpoints,
    maxBytes: 1 << 20,
    address: 'host:5000',
    logger,
    observe: notificationMetrics(register),
    ...(folder === undefined ? {} : { folder }),
    ...more,
  });
  const over = new AbortController();
  const running = notifications.run(over.signal);
  const stop = async () => {
    over.abort();
    await running;
  };
  t.after(stop);
  const metric = async (line: string) => new RegExp(`^${line} (\\d+)$`, 'm').exec(await register.metrics())?.[1];
  return { notifications, stop, metric };
}

function push(tag: string, more: Partial<Occurrence['target']> = {}): Occurrence {
  const digest = `sha256:${'a'.repeat(64)}`;
  return {
    action: 'push',
    target: { mediaType: 'application/x', digest, size: 3, length: 3, repository: 'a/b', tag, ...more },
    request: { id: 'r', addr: '127.0.0.1:1', host: 'h', method: 'PUT', useragent: 'test' },
    actor: 'somebody',
  };
}

const tags = ({ events }: EventReceiver) => events.map(({ target }) => target['tag']);

async function publish(notifications: Notifications, ...names: string[]): Promise<void> {
  for (const name of names) await notifications.publish(push(name));
}

test('an event arrives in the envelope of distribution', async (t) => {
  const receiver = await eventReceiver(t);
  const { notifications, metric } = await started(t, [endpoint(receiver)]);
  await publish(notifications, 'v1');
  const [request] = await eventually(() => (assert.equal(receiver.requests.length, 1), receiver.requests));
  assert.equal(request?.headers['content-type'], 'application/vnd.docker.distribution.events.v2+json');
  assert.equal(request?.headers['authorization'], 'Bearer x');
  assert.equal(request?.headers['x-twice'], '1, 2');
  assert.match(request?.body ?? '', /^\{\n {3}"events": \[\n {6}\{\n {9}"id": "[0-9a-f-]{36}",\n {9}"timestamp": "2/);
  const [event] = receiver.events;
  assert.deepEqual(Object.keys(event ?? {}), ['id', 'timestamp', 'action', 'target', 'request', 'actor', 'source']);
  assert.deepEqual(event?.target, push('v1').target);
  assert.deepEqual(event?.['actor'], { name: 'somebody' });
  assert.match(JSON.stringify(event?.['source']), /^\{"addr":"host:5000","instanceID":"[0-9a-f-]{36}"\}$/);
  await eventually(async () => {
    assert.equal(await metric('registry_notifications_events_total\\{type="Successes",endpoint="receiver"\\}'), '1');
    assert.equal(await metric('registry_notifications_status_total\\{code="200 OK",endpoint="receiver"\\}'), '1');
    assert.equal(await metric('registry_notifications_pending_total\\{endpoint="receiver"\\}'), '0');
  });
});

test('a receiver that refuses gets the event again, until it accepts; the order stays', async (t) => {
  const receiver = await eventReceiver(t);
  receiver.answer = 500;
  const { notifications, metric } = await started(t, [endpoint(receiver)], await temporaryFolder(t));
  await publish(notifications, '1', '2', '3');
  await eventually(() => assert.ok(receiver.requests.length > 5));
  receiver.answer = 204;
  await eventually(() => assert.deepEqual(tags(receiver), ['1', '2', '3']));
  const first = receiver.requests.filter(({ status }) => status === 500).map(({ body }) => body);
  assert.equal(new Set(first).size, 1, 'the same event each time');
  assert.ok(Number(await metric('registry_notifications_events_total\\{type="Failures",endpoint="receiver"\\}')) > 5);
});

test('a receiver that hangs is given up after the timeout, and tried again', async (t) => {
  const receiver = await eventReceiver(t);
  receiver.answer = 'hang';
  const { notifications, metric } = await started(t, [endpoint(receiver, { timeoutMs: 100 })]);
  await publish(notifications, 'slow');
  await eventually(() => assert.ok(receiver.requests.length >= 2));
  receiver.answer = 200;
  // More than once when the answer comes too late as well.
  await eventually(() => assert.deepEqual(new Set(tags(receiver)), new Set(['slow'])));
  assert.ok(Number(await metric('registry_notifications_events_total\\{type="Errors",endpoint="receiver"\\}')) >= 1);
});

test('a receiver that is down for a while misses nothing', async (t) => {
  const receiver = await eventReceiver(t);
  const { notifications } = await started(t, [endpoint(receiver)], await temporaryFolder(t));
  await publish(notifications, 'before');
  await eventually(() => assert.deepEqual(tags(receiver), ['before']));
  await receiver.stop();
  await publish(notifications, 'while', 'down');
  await receiver.start();
  await eventually(() => assert.deepEqual(tags(receiver), ['before', 'while', 'down']));
});

test('what waits at the end is delivered after the next start', async (t) => {
  const receiver = await eventReceiver(t);
  const folder = await temporaryFolder(t);
  receiver.answer = 'hang';
  const first = await started(t, [endpoint(receiver)], folder);
  await publish(first.notifications, '1', '2');
  await eventually(() => assert.ok(receiver.requests.length >= 1));
  await first.stop();
  receiver.answer = 200;
  const second = await started(t, [endpoint(receiver)], folder);
  await publish(second.notifications, '3');
  await eventually(() => assert.deepEqual(tags(receiver), ['1', '2', '3']));
});

test('processes that share a volume have queues of their own, and deliver what one that has ended left', async (t) => {
  const receiver = await eventReceiver(t);
  const folder = await temporaryFolder(t);
  const at = (place: string) => ({ lease: { self: { place, pid: 1 } }, inheritEveryMs: 50 });
  await receiver.stop();
  const [one, two] = [
    await started(t, [endpoint(receiver)], folder, at('a')),
    await started(t, [endpoint(receiver)], folder, at('b')),
  ];
  for (let i = 0; i < 20; i++) await publish(i % 2 ? one.notifications : two.notifications, `v${i}`);
  await one.stop();
  await receiver.start();
  await eventually(() => assert.equal(receiver.events.length, 20));
  assert.equal(new Set(receiver.events.map(({ target }) => target['tag'])).size, 20);
  const left = () => readdir(join(folder, 'receiver', '0'));
  await eventually(async () =>
    assert.deepEqual(
      (await left()).filter((name) => name.endsWith('.events')),
      [],
    ),
  );
});

test('each endpoint has its own queue and its own taste', async (t) => {
  const [all, picky, dead] = [await eventReceiver(t), await eventReceiver(t), await eventReceiver(t)];
  await dead.stop();
  const { notifications } = await started(
    t,
    [
      endpoint(all, { name: '../all' }),
      endpoint(picky, { name: 'picky', ignoredActions: ['pull'], ignoredMediaTypes: ['application/octet-stream'] }),
      endpoint(dead, { name: 'dead' }),
    ],
    await temporaryFolder(t),
  );
  await notifications.publish({ ...push('pulled'), action: 'pull' });
  await notifications.publish(push('blob', { mediaType: 'application/octet-stream' }));
  await publish(notifications, 'wanted');
  await eventually(() => assert.deepEqual(tags(all), ['pulled', 'blob', 'wanted']));
  await eventually(() => assert.deepEqual(tags(picky), ['wanted']));
});

test('the breaker tries at once up to the threshold, and then after each backoff', () => {
  let now = 0;
  const breaker = createBreaker({ threshold: 2, backoffMs: 100, now: () => now });
  assert.equal(breaker.delay(), 0);
  breaker.failed();
  assert.equal(breaker.delay(), 0);
  breaker.failed();
  assert.equal(breaker.delay(), 100);
  now = 60;
  assert.equal(breaker.delay(), 40);
  now = 100;
  assert.equal(breaker.delay(), 0);
  breaker.failed();
  assert.equal(breaker.delay(), 100);
  breaker.succeeded();
  assert.equal(breaker.delay(), 0);
});
