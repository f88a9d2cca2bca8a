import assert from 'node:assert/strict';
import { after, test, type TestContext } from 'node:test';
import { Registry } from 'prom-client';
import type { Controller } from '#operator/runtime/controller.ts';
import { LeadershipLostError } from '#operator/runtime/leader-election.ts';
import { type Lease, leases } from '#operator/runtime/lease.ts';
import { createManager, type Manager, type ManagerOptions } from '#operator/runtime/manager.ts';
import { createRuntimeMetrics } from '#operator/runtime/metrics.ts';
import type { Reconciler, Request } from '#operator/runtime/reconciler.ts';
import { serveEndpoints } from '#shared/endpoints.ts';
import type { Cache } from '#shared/kube/cache.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { aborted } from '#shared/lifecycle.ts';
import { createLogger } from '#shared/logger.ts';
import type { ListenAddress } from '#shared/settings.ts';
import { eventually } from '#test/support/eventually.ts';
import { type HostileProxy, proxyCredentials, startHostileProxy } from '#test/support/hostile-proxy.ts';
import { freePorts } from '#test/support/free-port.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

const configMaps: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const namespaces: ResourceType = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };

const apiserver = await startKubeApiserver({ after });
const world = await apiserver.client();

interface Program {
  client: KubeClient;
  proxy: HostileProxy;
  manager: Manager;
  cache: Cache<ConfigMap>;
  controller: Controller;
  health: ListenAddress;
  metrics: ListenAddress;
  seen: Request[];
}

interface ProgramOptions extends Partial<ManagerOptions> {
  /** Of the client. */
  silenceMs?: number;
  timeoutMs?: number;
}

/** It notices soon that nothing comes any more. The others have all the time that a busy machine takes. */
const impatient: ProgramOptions = { silenceMs: 1000, timeoutMs: 1000, silenceLimitMs: 3000 };

let count = 0;

/** A program that looks at the ConfigMaps of two namespaces, by way of a proxy that does no harm unless told. */
async function program(
  t: TestContext,
  { silenceMs, timeoutMs, ...options }: ProgramOptions = {},
  reconcile: Reconciler['reconcile'] = () => Promise.resolve({}),
): Promise<Program & { team: string; other: string }> {
  count++;
  const [team, other] = [`team-${count}`, `other-${count}`];
  for (const name of [team, other, `outside-${count}`]) {
    await world.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  const proxy = await startHostileProxy(t, apiserver.server);
  const registry = new Registry();
  const metrics = createRuntimeMetrics(registry);
  const client = createKubeClient({
    credentials: proxyCredentials(proxy, apiserver.token),
    observer: metrics.kube,
    ...(silenceMs !== undefined && { silenceMs }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const [healthPort, metricsPort] = (await freePorts(2)) as [number, number];
  const health = { host: '127.0.0.1', port: healthPort };
  const metricsAddress = { host: '127.0.0.1', port: metricsPort };
  const log = createLogger({ level: 'silent' });
  const manager = createManager({
    client,
    log,
    registry,
    metrics,
    healthAddress: health,
    metricsAddress,
    ...options,
  });
  const cache = manager.cache<ConfigMap>(configMaps, { namespaces: [team, other], labelSelector: 'watched=yes' });
  const seen: Request[] = [];
  const controller = manager.controller({
    name: 'test',
    timeoutMs: 2000,
    reconciler: {
      reconcile(request, signal) {
        seen.push(request);
        return reconcile(request, signal);
      },
    },
  });
  controller.watch(cache, ({ metadata: { namespace = '', name } }) => [{ namespace, name }]);
  return { client, proxy, manager, cache, controller, health, metrics: metricsAddress, seen, team, other };
}

async function put(namespace: string, name: string): Promise<void> {
  const metadata = { name, namespace, labels: { watched: 'yes' } };
  await world.apply(configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
}

async function ask({ host, port }: ListenAddress, path: string): Promise<[number, string]> {
  const response = await fetch(`http://${host}:${port}${path}`);
  return [response.status, await response.text()];
}

const answers = (address: ListenAddress, path: string, status: number): Promise<string> =>
  eventually(async () => {
    const [code, text] = await ask(address, path);
    assert.equal(code, status, text);
    return text;
  });

/** Runs it until the test ends. */
function run(t: TestContext, { manager }: Program): { stop: AbortController; ended: Promise<void> } {
  const stop = new AbortController();
  const ended = manager.run(stop.signal);
  ended.catch(() => {});
  t.after(async () => {
    stop.abort();
    await ended.catch(() => {});
  });
  return { stop, ended };
}

test('a program from its start to its end: health, caches, controllers, metrics', async (t) => {
  const one = await program(t);
  await put(one.team, 'before');
  let listed = false;
  one.proxy.intercept = () => (listed ? undefined : { status: 503 });
  const { stop, ended } = run(t, one);
  await eventually(async () => {
    const [status, text] = await ask(one.health, '/readyz');
    assert.equal(status, 503);
    const what = `list of ConfigMap in ${one.team}: not complete yet (GET /api/v1/namespaces/${one.team}/configmaps: `;
    assert.ok(text.includes(`${what}Service Unavailable)`), text);
  });
  await answers(one.health, '/livez', 200);
  assert.deepEqual(one.seen, []);
  listed = true;
  await answers(one.health, '/readyz', 200);
  await eventually(() => assert.deepEqual(one.seen, [{ namespace: one.team, name: 'before' }]));
  await put(one.other, 'later');
  await put(`outside-${count}`, 'unseen');
  await eventually(() => assert.deepEqual(one.seen.at(-1), { namespace: one.other, name: 'later' }));
  assert.equal(one.seen.length, 2);
  assert.equal(one.cache.list().length, 2);
  const [, text] = await ask(one.metrics, '/metrics');
  for (const line of [
    'controller_runtime_reconcile_total{controller="test",result="success"} 2',
    'workqueue_depth{name="test",controller="test"} 0',
    'reflector_failures_total{kind="ConfigMap",reason="Unknown"}',
    `rest_client_requests_total{code="503",method="GET",host="${new URL(one.proxy.url).host}"}`,
  ]) {
    assert.ok(text.includes(line), `${line}\nis not in\n${text}`);
  }
  stop.abort();
  await ended;
  await assert.rejects(ask(one.health, '/livez'));
  await assert.rejects(ask(one.metrics, '/metrics'));
});

test('a program that no longer hears of the world says so, and no longer once it does', async (t) => {
  const one = await program(t, impatient);
  run(t, one);
  await answers(one.health, '/readyz', 200);
  one.proxy.stall();
  one.proxy.intercept = () => 'silence';
  assert.match(await answers(one.health, '/livez', 503), /watch of ConfigMap in team-\d+: silent for \d+ s/);
  one.proxy.intercept = () => undefined;
  await put(one.team, 'back');
  await put(one.other, 'back');
  await answers(one.health, '/healthz', 200);
});

test('only the leader reconciles; the next one goes on after the end of all that runs', async (t) => {
  const name = 'handover';
  const steps: string[] = [];
  const slowly = (who: string) => async (_request: Request, signal: AbortSignal) => {
    steps.push(`${who} begins`);
    await aborted(signal);
    steps.push(`${who} ends`);
    return {};
  };
  const lead = (identity: string): Partial<ManagerOptions> => ({
    leaderElection: { namespace: 'default', name, identity },
  });
  const first = await program(t, lead('first'), slowly('first'));
  const running = run(t, first);
  await put(first.team, 'work');
  await eventually(() => assert.deepEqual(steps, ['first begins']));
  const second = await program(t, lead('second'), slowly('second'));
  await put(second.team, 'work');
  run(t, second);
  await answers(second.health, '/readyz', 200);
  assert.match((await ask(first.metrics, '/metrics'))[1], /leader_election_master_status{name="handover"} 1/);
  assert.match((await ask(second.metrics, '/metrics'))[1], /leader_election_master_status{name="handover"} 0/);
  running.stop.abort();
  await running.ended;
  assert.deepEqual(steps, ['first begins', 'first ends']);
  await eventually(() => assert.deepEqual(steps, ['first begins', 'first ends', 'second begins']));
});

test('leadership lost ends the program with an error, after all that runs has ended', async (t) => {
  const name = 'lost';
  let windUp = 'not yet';
  const one = await program(
    t,
    { leaderElection: { namespace: 'default', name, identity: 'one' } },
    async (_r, signal) => {
      windUp = 'running';
      await aborted(signal);
      windUp = 'done';
      return {};
    },
  );
  const { ended } = run(t, one);
  await put(one.team, 'work');
  await eventually(() => assert.equal(windUp, 'running'));
  await eventually(() =>
    world.patch<Lease>(leases, { namespace: 'default', name }, { spec: { holderIdentity: 'another' } }),
  );
  await assert.rejects(ended, LeadershipLostError);
  assert.equal(windUp, 'done');
  await assert.rejects(ask(one.health, '/livez'));
});

test('a reconcile that does not end holds the program up for a limited time only', async (t) => {
  const one = await program(t, { drainMs: 200 }, () => new Promise(() => {}));
  const { stop, ended } = run(t, one);
  await put(one.team, 'work');
  await eventually(() => assert.equal(one.seen.length, 1));
  stop.abort();
  await assert.rejects(ended, /has not stopped within 0.2 s/);
});

test('an address that is taken is an error before anything runs', async (t) => {
  const one = await program(t);
  const server = await serveEndpoints(one.metrics, {});
  t.after(() => server.close());
  await assert.rejects(one.manager.run(new AbortController().signal), { code: 'EADDRINUSE' });
  await assert.rejects(ask(one.health, '/livez'));
  assert.equal(one.proxy.requests.length, 0);
});

test('what else runs while we lead may fail for all; checks may be added', async (t) => {
  const one = await program(t);
  const failure = Promise.withResolvers<void>();
  one.manager.add(() => failure.promise);
  one.manager.addReadyCheck('own', () => 'not in the mood');
  one.manager.addLiveCheck('own', () => undefined);
  const { ended } = run(t, one);
  assert.match(await answers(one.health, '/readyz', 503), /\[-\] own: not in the mood/);
  assert.match(await answers(one.health, '/livez', 200), /\[\+\] own ok/);
  await eventually(() => assert.ok(one.proxy.openWatches === 2));
  failure.reject(new Error('out of order'));
  await assert.rejects(ended, /out of order/);
});
