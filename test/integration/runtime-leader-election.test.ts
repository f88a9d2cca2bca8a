import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LeadershipLostError, type LeaderElectionOptions, runAsLeader } from '#operator/runtime/leader-election.ts';
import { type Lease, leases } from '#operator/runtime/lease.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import type { CallOptions, KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { aborted } from '#shared/lifecycle.ts';
import { createLogger } from '#shared/logger.ts';
import { eventually } from '#test/support/eventually.ts';
import { type HostileProxy, proxyCredentials, startHostileProxy } from '#test/support/hostile-proxy.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';

const apiserver = await startKubeApiserver({ after });
const world = await apiserver.client();

interface Instance {
  proxy: HostileProxy;
  stop: AbortController;
  /** How its run ended. */
  ended: Promise<void>;
  leading: boolean;
  /** Milliseconds that it works on after it was told to stop. */
  windUpMs: number;
}

let leaseCount = 0;

/** Who leads right now, and whether ever two did. */
class Watchman {
  readonly leading = new Set<string>();
  most = 0;

  enter(identity: string): void {
    this.leading.add(identity);
    this.most = Math.max(this.most, this.leading.size);
  }
}

async function instance(
  t: TestContext,
  lease: string,
  identity: string,
  watchman: Watchman,
  options: Partial<LeaderElectionOptions> = {},
): Promise<Instance> {
  const proxy = await startHostileProxy(t, apiserver.server);
  const stop = new AbortController();
  const self: Instance = { proxy, stop, ended: Promise.resolve(), leading: false, windUpMs: 0 };
  self.ended = runAsLeader(
    {
      client: createKubeClient({ credentials: proxyCredentials(proxy, apiserver.token) }),
      namespace: 'default',
      name: lease,
      identity,
      log: createLogger({ level: 'silent' }),
      // A machine that stands still for a few seconds costs no leadership.
      durationMs: 30_000,
      renewDeadlineMs: 20_000,
      retryMs: 100,
      ...options,
    },
    stop.signal,
    async (signal) => {
      watchman.enter(identity);
      self.leading = true;
      await aborted(signal);
      await delay(self.windUpMs);
      watchman.leading.delete(identity);
      self.leading = false;
    },
  );
  self.ended.catch(() => {});
  t.after(async () => {
    stop.abort();
    await self.ended.catch(() => {});
  });
  return self;
}

/** For those who wait until a Lease runs out: enough between the two that one is gone before the other begins. */
const soonOver = { durationMs: 8000, renewDeadlineMs: 4000 };

const leadsNow = (one: Instance): Promise<void> => eventually(() => assert.ok(one.leading), { timeoutMs: 20_000 });
const newLease = (): string => `lease-${++leaseCount}`;
const read = (client: KubeClient, name: string): Promise<Lease | undefined> =>
  client.get<Lease>(leases, { namespace: 'default', name });

test('one of two leads; when it stops, the other begins at once, and only after all work has ended', async (t) => {
  const [name, watchman] = [newLease(), new Watchman()];
  const first = await instance(t, name, 'first', watchman);
  await leadsNow(first);
  const second = await instance(t, name, 'second', watchman);
  await eventually(() => assert.ok(second.proxy.requests.length >= 3));
  assert.deepEqual([...watchman.leading], ['first']);
  first.windUpMs = 1500;
  first.stop.abort();
  const stopped = performance.now();
  await first.ended;
  await leadsNow(second);
  const took = performance.now() - stopped;
  // Without a release it would have been the wind-up and the whole duration of the Lease, half a minute.
  assert.ok(took >= 1500 && took < 20_000, `took ${took} ms`);
  assert.equal(watchman.most, 1);
  const lease = await read(world, name);
  assert.equal(lease?.spec?.holderIdentity, 'second');
  assert.equal(lease.spec.leaseTransitions, 1);
});

test('one that was cut off stops by itself, before the other begins', async (t) => {
  const [name, watchman] = [newLease(), new Watchman()];
  const first = await instance(t, name, 'first', watchman, soonOver);
  await leadsNow(first);
  const second = await instance(t, name, 'second', watchman, soonOver);
  await eventually(() => assert.ok(second.proxy.requests.length >= 2));
  first.proxy.intercept = () => 'silence';
  await assert.rejects(first.ended, LeadershipLostError);
  assert.equal(second.leading, false);
  await leadsNow(second);
  assert.equal(watchman.most, 1);
});

test('a server that is away for less than the deadline costs no leadership', async (t) => {
  const [name, watchman] = [newLease(), new Watchman()];
  const first = await instance(t, name, 'first', watchman);
  await leadsNow(first);
  let refused = 0;
  first.proxy.intercept = () => (refused++ < 4 ? { status: 500 } : undefined);
  await eventually(() => assert.ok(refused > 4));
  const before = (await read(world, name))?.spec?.renewTime ?? '';
  await eventually(async () => assert.ok(((await read(world, name))?.spec?.renewTime ?? '') > before));
  assert.ok(first.leading);
});

test('a clock of another, however wrong, decides nothing', async (t) => {
  const [name, watchman] = [newLease(), new Watchman()];
  const spec = {
    holderIdentity: 'elsewhere',
    leaseDurationSeconds: 1,
    renewTime: '2001-01-01T00:00:00.000000Z',
    acquireTime: '2001-01-01T00:00:00.000000Z',
    leaseTransitions: 7,
  };
  const { apiVersion, kind } = leases;
  await world.create<Lease>(leases, { apiVersion, kind, metadata: { name, namespace: 'default' }, spec } as Lease);
  const started = performance.now();
  const first = await instance(t, name, 'first', watchman);
  await leadsNow(first);
  assert.ok(performance.now() - started >= 1000);
  assert.equal((await read(world, name))?.spec?.leaseTransitions, 8);
});

test('a leader whose Lease was taken by force ends with an error', async (t) => {
  const [name, watchman] = [newLease(), new Watchman()];
  const first = await instance(t, name, 'first', watchman);
  await leadsNow(first);
  await eventually(() => world.patch(leases, { namespace: 'default', name }, { spec: { holderIdentity: 'usurper' } }));
  await assert.rejects(first.ended, LeadershipLostError);
  assert.equal((await read(world, name))?.spec?.holderIdentity, 'usurper');
});

test('somebody who annotates the Lease disturbs nobody', async (t) => {
  const [name, watchman] = [newLease(), new Watchman()];
  const first = await instance(t, name, 'first', watchman);
  await leadsNow(first);
  for (let i = 0; i < 50; i++) {
    await world.patch(leases, { namespace: 'default', name }, { metadata: { annotations: { i: String(i) } } });
  }
  const before = (await read(world, name))?.spec?.renewTime ?? '';
  await eventually(async () => assert.ok(((await read(world, name))?.spec?.renewTime ?? '') > before));
  assert.ok(first.leading);
});

test('one that is told to stop while it waits just ends', async (t) => {
  const [name, watchman] = [newLease(), new Watchman()];
  const first = await instance(t, name, 'first', watchman);
  await leadsNow(first);
  const second = await instance(t, name, 'second', watchman);
  second.stop.abort();
  await second.ended;
  assert.equal(watchman.most, 1);
  assert.ok(first.leading);
});

test('a renewal that is cut off at the end does not keep the Lease from being given back', async (t) => {
  const name = newLease();
  const client = await apiserver.client();
  const taken = Promise.withResolvers<void>();
  let cutOff = false;
  // The server takes it, and the answer never comes.
  const replace: KubeClient['replace'] = async <T extends KubeObject>(
    type: ResourceType,
    object: KubeObject,
    options: CallOptions = {},
  ) => {
    const written = await client.replace<T>(type, object);
    if (!cutOff) return written;
    cutOff = false;
    taken.resolve();
    await aborted(options.signal ?? AbortSignal.abort());
    throw new Error('no answer');
  };
  const first = await instance(t, name, 'first', new Watchman(), { client: { ...client, replace } });
  await leadsNow(first);
  cutOff = true;
  await taken.promise;
  first.stop.abort();
  await first.ended;
  assert.equal((await read(world, name))?.spec?.holderIdentity, '');
});

test('work that fails is the error of all, and the Lease is left to run out', async () => {
  const name = newLease();
  const run = runAsLeader(
    { client: world, namespace: 'default', name, identity: 'first', log: createLogger({ level: 'silent' }) },
    new AbortController().signal,
    () => Promise.reject(new Error('out of order')),
  );
  await assert.rejects(run, /out of order/);
  assert.equal((await read(world, name))?.spec?.holderIdentity, 'first');
});
