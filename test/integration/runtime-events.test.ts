import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createEventRecorder, type EventContent, type EventRecorder } from '#operator/runtime/events.ts';
import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import { createLogger } from '#shared/logger.ts';
import { type FakeClock, fakeClock } from '#test/support/fake-clock.ts';
import { proxyCredentials, startHostileProxy } from '#test/support/hostile-proxy.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';

interface Event extends KubeObject {
  note: string;
  reason: string;
  type: string;
  regarding: { name: string; uid: string };
  series?: { count: number };
}

const events: ResourceType = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events', namespaced: true };
const configMaps: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };

const apiserver = await startKubeApiserver({ after });
const world = await apiserver.client();

const taken: EventContent = {
  type: 'Warning',
  reason: 'NodePortTaken',
  action: 'Apply',
  note: 'nodePort 30500 is taken',
};

function recorder(client: KubeClient, clock: FakeClock): EventRecorder {
  const log = createLogger({ level: 'silent' });
  return createEventRecorder({ client, controller: 'example.com/test', instance: 'test-1', log, clock });
}

let objectCount = 0;

async function anObject(): Promise<KubeObject> {
  const name = `object-${++objectCount}`;
  return world.create(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } });
}

async function eventsOf({ metadata }: KubeObject): Promise<Event[]> {
  const { items } = await world.list<Event>(events, { namespace: 'default' });
  return items.filter(({ regarding }) => regarding.uid === metadata.uid);
}

test('an event is told as kubectl describe shows it', async () => {
  const about = await anObject();
  const recording = recorder(world, fakeClock());
  recording.record(about, taken);
  await recording.flush();
  const text = await apiserver.kubectl(['describe', 'configmap', about.metadata.name]);
  assert.match(text, /Warning\s+NodePortTaken\s+.*example.com\/test\s+nodePort 30500 is taken/);
});

test('the same again and again is one event with a count, written now and then', async () => {
  const about = await anObject();
  const clock = fakeClock();
  const recording = recorder(world, clock);
  const told = async (): Promise<number | undefined> => {
    await recording.flush();
    const [only, ...others] = await eventsOf(about);
    assert.equal(others.length, 0);
    return only?.series?.count;
  };
  recording.record(about, taken);
  assert.equal(await told(), undefined);
  recording.record(about, taken);
  assert.equal(await told(), 2);
  for (let i = 0; i < 50; i++) recording.record(about, taken);
  assert.equal(await told(), 2);
  await clock.advance(61_000);
  recording.record(about, taken);
  assert.equal(await told(), 53);
  recording.record(about, { ...taken, note: 'nodePort 30501 is taken' });
  await recording.flush();
  assert.equal((await eventsOf(about)).length, 2);
});

test('what has not happened for a while begins anew', async () => {
  const about = await anObject();
  const clock = fakeClock();
  const recording = recorder(world, clock);
  recording.record(about, taken);
  await clock.advance(400_000);
  recording.record(about, taken);
  await recording.flush();
  assert.equal((await eventsOf(about)).length, 2);
});

test('a series whose event the server has dropped is told again', async () => {
  const about = await anObject();
  const recording = recorder(world, fakeClock());
  recording.record(about, taken);
  await recording.flush();
  const [{ metadata }] = (await eventsOf(about)) as [Event];
  await world.remove(events, { namespace: 'default', name: metadata.name });
  recording.record(about, taken);
  await recording.flush();
  assert.deepEqual(
    (await eventsOf(about)).map(({ series }) => series?.count),
    [2],
  );
});

test('of one object there are not more than so many in a time', async () => {
  const about = await anObject();
  const clock = fakeClock();
  const recording = recorder(world, clock);
  for (let i = 0; i < 40; i++) recording.record(about, { ...taken, note: `nodePort ${i} is taken` });
  await recording.flush();
  assert.equal((await eventsOf(about)).length, 25);
  await clock.advance(31_000);
  for (let i = 40; i < 50; i++) recording.record(about, { ...taken, note: `nodePort ${i} is taken` });
  await recording.flush();
  assert.equal((await eventsOf(about)).length, 26);
});

test('a note that is too long is cut, never through a character', async () => {
  const about = await anObject();
  const recording = recorder(world, fakeClock());
  recording.record(about, { ...taken, note: `x${'€'.repeat(1000)}` });
  await recording.flush();
  const [event] = await eventsOf(about);
  assert.ok(Buffer.byteLength(event?.note ?? '') <= 1024);
  assert.match(event?.note ?? '', /^x€+\.\.\.$/);
});

test('an event of an object without a namespace is found in "default"', async () => {
  const recording = recorder(world, fakeClock());
  const about = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', uid: 'uid-of-n1' } };
  recording.record(about, taken);
  await recording.flush();
  assert.equal((await eventsOf(about)).length, 1);
});

test('a server that takes none hurts nobody', async (t) => {
  const proxy = await startHostileProxy(t, apiserver.server);
  proxy.intercept = () => ({ status: 403 });
  const client = createKubeClient({ credentials: proxyCredentials(proxy, apiserver.token) });
  const recording = recorder(client, fakeClock());
  recording.record(await anObject(), taken);
  await recording.flush();
  assert.equal(proxy.requests.length, 1);
});
