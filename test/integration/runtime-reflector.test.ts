/**
 * A reflector against a real API server, by way of everything that can go wrong between them. Each test makes changes
 * around a fault and demands that the cache becomes what the server has, soon, and without more lists than needed.
 */
import assert from 'node:assert/strict';
import { after, describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '#test/support/eventually.ts';
import { fakeClock } from '#test/support/fake-clock.ts';
import type { HostileProxy } from '#test/support/hostile-proxy.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import {
  type ConfigMap,
  configMaps,
  type Fixture,
  type FixtureOptions,
  followConfigMaps,
} from '#test/support/reflector-fixture.ts';

const apiserver = await startKubeApiserver({ after });
const world = await apiserver.client();

const setUp = (t: TestContext, options: FixtureOptions = {}): Promise<Fixture> =>
  followConfigMaps(t, apiserver, world, options);

const watching = (proxy: HostileProxy): Promise<void> => eventually(() => assert.equal(proxy.openWatches, 1));

describe('without faults', () => {
  test('what is there, what appears, what changes and what goes', async (t) => {
    const { reflector, set, remove, holds, heard, proxy } = await setUp(t);
    await reflector.whenSynced();
    await set('a', '1');
    await holds({ a: '1' });
    await set('a', '2');
    await set('b', '1');
    await holds({ a: '2', b: '1' });
    await remove('a');
    await holds({ b: '1' });
    assert.deepEqual(heard, ['added a', 'updated a', 'added b', 'removed a']);
    assert.equal(proxy.lists.length, 1);
    assert.equal(proxy.watches.length, 1);
  });

  test('an object is the same by list and by watch, without managedFields', async (t) => {
    const { reflector, set, holds, client, namespace } = await setUp(t);
    await reflector.whenSynced();
    await set('a', '1');
    await holds({ a: '1' });
    const [watched] = reflector.list();
    const { items } = await client.list<ConfigMap>(configMaps, { namespace });
    assert.deepEqual([watched], items);
    assert.ok(watched && !('managedFields' in watched.metadata));
  });

  test('a resync tells of all objects from time to time', async (t) => {
    const { set, holds, heard } = await setUp(t, { resyncMs: 100 });
    await set('a', '1');
    await holds({ a: '1' });
    await eventually(() => assert.ok(heard.filter((text) => text === 'resynced a').length >= 2));
  });

  test('the age of the last sign of life', async (t) => {
    const { reflector, set, holds, proxy } = await setUp(t);
    await watching(proxy);
    await eventually(() => assert.ok(reflector.silentMs > 1000));
    const changed = performance.now();
    await set('a', '1');
    await holds({ a: '1' });
    assert.ok(reflector.silentMs < performance.now() - changed);
  });
});

describe('the list', () => {
  for (const status of [500, 503, 429]) {
    test(`answered with ${status} is asked for again, and nothing counts as complete before`, async (t) => {
      let refused = 0;
      const { proxy, reflector, set, holds } = await setUp(t, {
        prepare: (proxy) => {
          proxy.intercept = () =>
            refused++ < 3 ? { status, body: { kind: 'Status', reason: 'Busy', code: status } } : undefined;
        },
      });
      assert.equal(reflector.synced, false);
      await reflector.whenSynced();
      assert.equal(proxy.lists.length, 4);
      await set('a', '1');
      await holds({ a: '1' });
    });
  }

  test('waits as long as Retry-After says', async (t) => {
    const times: number[] = [];
    const { reflector } = await setUp(t, {
      prepare: (proxy) => {
        proxy.intercept = () => {
          times.push(performance.now());
          return times.length === 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
        };
      },
    });
    await reflector.whenSynced();
    assert.ok((times[1] ?? 0) - (times[0] ?? 0) > 990);
  });

  test('that is never answered is given up, and asked for again', async (t) => {
    const { reflector, proxy } = await setUp(t, {
      timeoutMs: 3000,
      prepare: (proxy) => (proxy.intercept = () => (proxy.lists.length === 1 ? 'silence' : undefined)),
    });
    await reflector.whenSynced();
    assert.equal(proxy.lists.length, 2);
  });

  test('broken by a reset is asked for again', async (t) => {
    const { reflector, proxy } = await setUp(t, {
      prepare: (proxy) => {
        proxy.intercept = (request) => {
          if (proxy.lists.length === 1) request.socket.resetAndDestroy();
          return undefined;
        };
      },
    });
    await reflector.whenSynced();
    assert.equal(proxy.lists.length, 2);
  });
});

describe('the watch', () => {
  test('ended by the server again and again goes on where it was, at once and without a list', async (t) => {
    const { proxy, set, holds, heard } = await setUp(t);
    for (let i = 1; i <= 5; i++) {
      await watching(proxy);
      await set('a', String(i));
      await holds({ a: String(i) });
      proxy.end();
      await eventually(() => assert.equal(proxy.watches.length, i + 1));
    }
    assert.equal(proxy.lists.length, 1);
    assert.deepEqual(heard, ['added a', 'updated a', 'updated a', 'updated a', 'updated a']);
  });

  test('on a quiet kind learns from bookmarks how far it is', async (t) => {
    const { proxy } = await setUp(t, { prepare: (proxy) => (proxy.watchSeconds = 3) });
    await watching(proxy);
    const other = await world.apply(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'elsewhere', namespace: 'default' },
    });
    // The server sends a bookmark shortly before the end of a watch.
    await eventually(() => {
      const version = proxy.watches.at(-1)?.searchParams.get('resourceVersion') ?? '0';
      assert.ok(BigInt(version) >= BigInt(other.metadata.resourceVersion ?? '0'));
    });
    assert.equal(proxy.watches[0]?.searchParams.get('allowWatchBookmarks'), 'true');
    assert.equal(proxy.lists.length, 1);
  });

  for (const how of ['reset', 'end'] as const) {
    test(`cut in the middle of an event (${how}) loses nothing`, async (t) => {
      const { proxy, set, holds, heard } = await setUp(t);
      await watching(proxy);
      proxy.cutNextEvent(how);
      await set('a', '1');
      await holds({ a: '1' });
      assert.deepEqual(heard, ['added a']);
      assert.equal(proxy.lists.length, 1);
    });
  }

  test('broken by a reset goes on where it was', async (t) => {
    const { proxy, set, holds } = await setUp(t);
    await watching(proxy);
    proxy.reset();
    await set('a', '1');
    await holds({ a: '1' });
    assert.equal(proxy.lists.length, 1);
  });

  test('that carries nothing more, on a connection that stays open, is noticed', async (t) => {
    const { proxy, set, holds } = await setUp(t, { silenceMs: 2000 });
    await watching(proxy);
    proxy.stall();
    await set('a', '1');
    await holds({ a: '1' });
    assert.equal(proxy.lists.length, 1);
  });

  test('is resumed after a pause in which things happened', async (t) => {
    const clock = fakeClock();
    const { proxy, set, holds, heard } = await setUp(t, { clock, backoff: { baseMs: 800, maxMs: 800 } });
    await watching(proxy);
    proxy.reset();
    // The time of the next resync, and the end of the pause.
    await eventually(() => assert.equal(clock.pending, 2));
    await set('a', '1');
    await set('a', '2');
    await set('b', '1');
    assert.deepEqual(heard, []);
    await clock.advance(800);
    await holds({ a: '2', b: '1' });
    assert.deepEqual(heard, ['added a', 'updated a', 'added b']);
    assert.equal(proxy.lists.length, 1);
  });

  test('refused with 500 for a while is tried again, then by way of a list', async (t) => {
    let refuse = true;
    const { proxy, set, holds } = await setUp(t, {
      prepare: (proxy) => {
        proxy.intercept = (_request, url) => (refuse && url.searchParams.has('watch') ? { status: 500 } : undefined);
      },
    });
    await eventually(() => assert.ok(proxy.watches.length >= 4));
    refuse = false;
    await set('a', '1');
    await holds({ a: '1' });
    assert.ok(proxy.lists.length >= 2);
  });

  test('an ERROR event that is no 410 breaks it like any fault', async (t) => {
    const { proxy, set, holds } = await setUp(t);
    await watching(proxy);
    proxy.inject({
      type: 'ERROR',
      object: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd is away' },
    });
    await eventually(() => assert.equal(proxy.watches.length, 2));
    await set('a', '1');
    await holds({ a: '1' });
    assert.equal(proxy.lists.length, 1);
  });

  test('410 within the stream leads to a list', async (t) => {
    const { proxy, set, remove, holds, heard } = await setUp(t);
    await set('a', '1');
    await holds({ a: '1' });
    await watching(proxy);
    proxy.inject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' } });
    await eventually(() => assert.equal(proxy.lists.length, 2));
    await remove('a');
    await holds({});
    assert.deepEqual(heard, ['added a', 'removed a']);
  });

  test('410 as the answer leads to a list', async (t) => {
    const { proxy, set, holds } = await setUp(t);
    await watching(proxy);
    let gone = false;
    proxy.intercept = (_request, url) => {
      if (gone || !url.searchParams.has('watch')) return undefined;
      gone = true;
      return { status: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } };
    };
    proxy.end();
    await eventually(() => assert.equal(proxy.lists.length, 2));
    await set('a', '1');
    await holds({ a: '1' });
  });

  test('an event that makes no sense breaks it like any fault', async (t) => {
    const { proxy, set, holds } = await setUp(t);
    await watching(proxy);
    proxy.inject({ type: 'MODIFIED' });
    await eventually(() => assert.equal(proxy.watches.length, 2));
    await set('a', '1');
    await holds({ a: '1' });
  });
});

describe('away for a while', () => {
  test('an object deleted and made again is one that went and one that came', async (t) => {
    const { proxy, set, remove, holds, heard } = await setUp(t);
    await set('a', '1');
    await holds({ a: '1' });
    await watching(proxy);
    let away = true;
    proxy.intercept = () =>
      away ? { status: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } } : undefined;
    proxy.reset();
    await remove('a');
    await set('a', '2');
    heard.length = 0;
    away = false;
    await holds({ a: '2' });
    assert.deepEqual(heard, ['removed a', 'added a']);
  });

  test('a server that refuses our token is asked again until it takes it', async (t) => {
    const { proxy, set, holds } = await setUp(t);
    await watching(proxy);
    let refuse = true;
    proxy.intercept = () =>
      refuse ? { status: 401, body: { kind: 'Status', code: 401, reason: 'Unauthorized' } } : undefined;
    proxy.reset();
    await set('a', '1');
    await eventually(() => assert.ok(proxy.watches.length >= 3));
    refuse = false;
    await holds({ a: '1' });
  });

  test('a server that was started again and has forgotten all history', async (t) => {
    const { proxy, set, holds } = await setUp(t);
    await set('a', '1');
    await set('b', '1');
    await holds({ a: '1', b: '1' });
    await apiserver.stop();
    await apiserver.compact();
    await apiserver.start();
    await set('a', '2');
    await holds({ a: '2', b: '1' });
    assert.ok(proxy.watches.length >= 2);
  });
});

describe('the program', () => {
  test('a handler that throws hurts neither others nor the reflector', async (t) => {
    const { reflector, set, holds, heard } = await setUp(t);
    reflector.onChange(() => {
      throw new Error('oops');
    });
    await set('a', '1');
    await holds({ a: '1' });
    await set('a', '2');
    await holds({ a: '2' });
    assert.deepEqual(heard, ['added a', 'updated a']);
  });

  for (const when of ['the list', 'the watch', 'the pause'] as const) {
    test(`may stop it during ${when}`, async (t) => {
      const { proxy, stop, running, set, heard } = await setUp(t, {
        backoff: { baseMs: 60_000, maxMs: 60_000 },
        prepare: (proxy) => {
          if (when === 'the list') proxy.intercept = () => 'silence';
          if (when === 'the pause') proxy.intercept = () => ({ status: 500 });
        },
      });
      await eventually(() => assert.ok(proxy.requests.length >= (when === 'the watch' ? 2 : 1)));
      const started = performance.now();
      stop.abort();
      await running;
      assert.ok(performance.now() - started < 5000);
      await set('a', '1');
      await delay(50);
      assert.deepEqual(heard, []);
    });
  }
});

test('two hundred changes through faults of all kinds, and the cache is what the server has', async (t) => {
  const { proxy, reflector, set, remove, holds } = await setUp(t, { silenceMs: 300 });
  await reflector.whenSynced();
  const truth: Record<string, string> = {};
  let seed = 42;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const gone = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } };
  const faults = [
    () => proxy.end(),
    () => proxy.reset(),
    () => proxy.stall(),
    () => proxy.cutNextEvent('reset'),
    () => proxy.cutNextEvent('end'),
    () => proxy.inject(gone),
  ];
  for (let i = 0; i < 200; i++) {
    const name = `n${random(10)}`;
    if (random(4) === 0) {
      await remove(name);
      delete truth[name];
    } else {
      await set(name, String(i));
      truth[name] = String(i);
    }
    if (random(5) === 0) {
      faults[random(faults.length)]?.();
      if (random(2) === 0) await watching(proxy);
    }
  }
  await holds(truth);
});
