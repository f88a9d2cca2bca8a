import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { KubeError, type KubeObject } from '#shared/kube/kube-client.ts';
import { createObjectStore } from '#shared/kube/object-store.ts';
import { aborted } from '#shared/lifecycle.ts';
import { createLogger } from '#shared/logger.ts';
import { type FakeClock, fakeClock } from '#test/support/fake-clock.ts';
import { type Controller, type ControllerOptions, createController } from './controller.ts';
import { createRuntimeMetrics } from './metrics.ts';
import { type Reconciler, type Request, TerminalError } from './reconciler.ts';

const a: Request = { namespace: 'team', name: 'a' };
const b: Request = { namespace: 'team', name: 'b' };

interface Setup {
  clock: FakeClock;
  controller: Controller;
  running: Promise<void>;
  stop: AbortController;
  value: (metric: string, labels?: Record<string, string>) => Promise<number | undefined>;
}

function start(t: TestContext, reconcile: Reconciler['reconcile'], options: Partial<ControllerOptions> = {}): Setup {
  const clock = fakeClock();
  const registry = new Registry();
  const controller = createController({
    name: 'test',
    reconciler: { reconcile },
    log: createLogger({ level: 'silent' }),
    metrics: createRuntimeMetrics(registry).controller('test'),
    clock,
    ...options,
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  t.after(() => stop.abort());
  const value: Setup['value'] = async (metric, labels = {}) => {
    const found = await registry.getSingleMetric(metric)?.get();
    return found?.values.find((v) => Object.entries(labels).every(([key, text]) => v.labels[key] === text))?.value;
  };
  return { clock, controller, running, stop, value };
}

test('a name that fails comes again, later and later, and is forgotten when it went well', async (t) => {
  const times: number[] = [];
  const { clock, controller, value } = start(t, async () => {
    times.push(clock.now());
    if (times.length < 4) throw new Error('not yet');
    return {};
  });
  controller.enqueue(a);
  await clock.advance(60_000);
  assert.deepEqual(times, [0, 250, 750, 1750]);
  assert.equal(await value('controller_runtime_reconcile_errors_total'), 3);
  assert.equal(await value('controller_runtime_reconcile_total', { result: 'success' }), 1);
  assert.equal(await value('workqueue_retries_total'), 3);
});

test('a result may ask for another look', async (t) => {
  const times: number[] = [];
  const { clock, controller, value } = start(t, async () => {
    times.push(clock.now());
    return { requeueAfterMs: 10_000 };
  });
  controller.enqueue(a);
  await clock.advance(25_000);
  assert.deepEqual(times, [0, 10_000, 20_000]);
  assert.equal(await value('controller_runtime_reconcile_total', { result: 'requeue_after' }), 3);
});

test('a terminal error waits for a change', async (t) => {
  let calls = 0;
  const { clock, controller, value } = start(t, async () => {
    calls++;
    throw new TerminalError('never');
  });
  controller.enqueue(a);
  await clock.advance(600_000);
  assert.equal(calls, 1);
  assert.equal(await value('controller_runtime_terminal_reconcile_errors_total'), 1);
  controller.enqueue(a);
  await clock.advance(0);
  assert.equal(calls, 2);
});

test('the pause that a server asks for is kept', async (t) => {
  const times: number[] = [];
  const { clock, controller } = start(t, async () => {
    times.push(clock.now());
    if (times.length === 1) throw new KubeError('busy', { status: { code: 429 }, retryAfterMs: 5000 });
    return {};
  });
  controller.enqueue(a);
  await clock.advance(10_000);
  assert.deepEqual(times, [0, 5000]);
});

test('a throw that is no promise, or no Error, ends no worker', async (t) => {
  const done: string[] = [];
  const { clock, controller } = start(t, ({ name }) => {
    // eslint-disable-next-line typescript/only-throw-error -- what a careless library may do
    if (name === 'a') throw 'text';
    done.push(name);
    return Promise.resolve({});
  });
  controller.enqueue(a);
  controller.enqueue(b);
  await clock.advance(0);
  assert.deepEqual(done, ['b']);
});

test('workers share the names, and no name is with two of them', async (t) => {
  const now = new Set<string>();
  let most = 0;
  const { clock, controller } = start(
    t,
    async ({ name }) => {
      assert.ok(!now.has(name));
      now.add(name);
      most = Math.max(most, now.size);
      await turn();
      now.delete(name);
      return {};
    },
    { workers: 3 },
  );
  for (let i = 0; i < 40; i++) controller.enqueue({ namespace: '', name: `n${i % 5}` });
  await clock.advance(1000);
  assert.equal(most, 3);
});

test('a reconcile that takes too long is told to end, and tried again', async (t) => {
  let calls = 0;
  const { clock, controller } = start(
    t,
    async (_request, signal) => {
      calls++;
      await aborted(signal);
      throw signal.reason;
    },
    { timeoutMs: 1000 },
  );
  controller.enqueue(a);
  await clock.advance(1000);
  assert.equal(calls, 1);
  await clock.advance(250);
  assert.equal(calls, 2);
});

test('an abort reaches the reconcile that runs, and the end waits for it', async (t) => {
  const steps: string[] = [];
  const { clock, controller, running, stop } = start(t, async (_request, signal) => {
    steps.push('begun');
    await aborted(signal);
    await turn();
    steps.push('wound up');
    throw signal.reason;
  });
  controller.enqueue(a);
  await clock.advance(0);
  controller.enqueue(b);
  stop.abort();
  await running;
  assert.deepEqual(steps, ['begun', 'wound up']);
  assert.equal(clock.pending, 0);
});

test('a change concerns what the object belongs to, and what it belonged to before', async (t) => {
  const seen: string[] = [];
  const { clock, controller } = start(t, async ({ name }) => {
    seen.push(name);
    return {};
  });
  const store = createObjectStore<KubeObject>(() => {});
  controller.watch(store, ({ metadata }) => [{ namespace: 'team', name: metadata.labels?.['owner'] ?? '' }]);
  const child = (owner: string, resourceVersion: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'child', namespace: 'team', uid: '1', resourceVersion, labels: { owner } },
  });
  store.put(child('a', '1'));
  await clock.advance(0);
  store.put(child('b', '2'));
  await clock.advance(0);
  assert.deepEqual(seen, ['a', 'a', 'b']);
});
