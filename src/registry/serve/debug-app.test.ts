import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { digestOf, image } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryApp, type TestApp } from '#test/support/registry-app.ts';
import type { Scope } from '#test/support/scope.ts';
import { buildDebugApp, type DebugDeps } from './debug-app.ts';
import { feedTimes } from '#registry/http/usage-feed.ts';
import { createMetrics } from '#registry/metrics.ts';

async function debugOf(scope: Scope, { catalog, store }: TestApp, rest: Partial<DebugDeps> = {}) {
  const defaults = { healthFailures: () => ({}), notReady: async () => ({}) };
  const debug = buildDebugApp({ catalog, store, ...defaults, ...rest });
  scope.after(() => debug.close());
  const get = (url: string) => debug.inject({ method: 'GET', url });
  return { debug, get };
}

test('probes: alive, ready or why not, healthy or what is wrong', async (t) => {
  const app = await registryApp(t);
  const reasons: Record<string, string> = {};
  const { get } = await debugOf(t, app, { healthFailures: () => reasons, notReady: async () => reasons });
  const statuses = async () => [
    (await get('/livez')).statusCode,
    (await get('/readyz')).statusCode,
    (await get('/debug/health')).statusCode,
  ];
  assert.deepEqual(await statuses(), [200, 200, 200]);
  assert.equal((await get('/debug/health')).body, '{}');
  reasons['storage'] = 'gone';
  assert.deepEqual(await statuses(), [200, 503, 503]);
  assert.deepEqual((await get('/readyz')).json(), { storage: 'gone' });
});

test('usage: what the registry holds', async (t) => {
  const app = await registryApp(t);
  const { get } = await debugOf(t, app);
  await app.pushImage('a', image('usage', { layers: [1000] }), 'x');
  const usage = (await get('/debug/usage')).json<Record<string, unknown>>();
  const { manifest, blobs } = image('usage');
  const bytes = [manifest, ...blobs].reduce((sum, part) => sum + part.bytes.length, 0);
  const expected = { complete: true, repositories: 1, tags: 1, manifests: 1, blobs: 3, bytes, volume: usage['volume'] };
  assert.deepEqual(usage, expected);
});

test('usage as a stream: a line at once, and one soon after each push', async (t) => {
  const app = await registryApp(t);
  const { debug } = await debugOf(t, app);
  await debug.listen({ host: '127.0.0.1', port: 0 });
  const { port } = debug.server.address() as AddressInfo;
  const over = new AbortController();
  t.after(() => over.abort());
  const response = await fetch(`http://127.0.0.1:${port}/debug/usage?watch=true`, { signal: over.signal });
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
  const started = performance.now();
  const lines: { tags: number }[] = [];
  const reading = (async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      for (const line of chunk.split('\n').filter(Boolean)) lines.push(JSON.parse(line) as { tags: number });
    }
  })().catch(() => undefined);
  await eventually(() => assert.equal(lines.at(-1)?.tags, 0));
  await app.pushImage('a', image('watch'), 'x');
  for (let i = 0; i < 20; i++) await app.pushManifest('a', image('watch').manifest, `t${i}`);
  await eventually(() => assert.equal(lines.at(-1)?.tags, 21));
  // One for each time of quiet: how many that are is up to how fast this machine pushes. A timer may come a millisecond early.
  const most = 2 + (performance.now() - started) / (feedTimes.quietMs - 1);
  assert.ok(lines.length <= most, `${lines.length} lines for one burst, instead of ${most}`);
  await debug.close();
  await reading;
});

test('metrics: named as in distribution, off unless wanted', async (t) => {
  const metrics = createMetrics();
  const app = await registryApp(t, { observers: [metrics.exchanges] });
  metrics.watch(app.catalog, app.store);
  metrics.storage('inmemory', 'Stat', 0.001);
  for (const hit of [true, false, true]) metrics.cache(hit);
  await app.pushImage('a', image('metrics'), 'x');
  await app.send('GET', 'a/manifests/x');
  await app.send('HEAD', `a/blobs/${digestOf(Buffer.from('absent'))}`);
  await app.send('PROPFIND', 'a/manifests/x');
  const { get } = await debugOf(t, app, { metrics: { ...metrics, path: '/metrics' } });
  const answer = await get('/metrics');
  assert.match(String(answer.headers['content-type']), /^text\/plain/);
  for (const line of [
    'registry_http_requests_total{handler="manifest",method="get",code="200"} 1',
    'registry_http_requests_total{handler="manifest",method="unknown",code="405"} 1',
    'registry_http_requests_total{handler="blob",method="head",code="404"} 1',
    'registry_http_request_duration_seconds_count{handler="manifest",method="put"} 1',
    'registry_http_response_size_bytes_count{handler="blob_upload"} 2',
    'registry_http_in_flight_requests{handler="manifest"} 0',
    'registry_storage_action_seconds_count{driver="inmemory",action="Stat"} 1',
    'registry_storage_cache_requests_total 3',
    'registry_storage_cache_hits_total 2',
    'registry_storage_cache_errors_total 0',
    'registry_content_tags 1',
    'registry_content_index_complete 1',
  ]) {
    assert.ok(answer.body.split('\n').includes(line), `${line}\nis missing in\n${answer.body}`);
  }
  assert.match(answer.body, /^process_resident_memory_bytes /m);
  assert.equal((await (await debugOf(t, app)).get('/metrics')).statusCode, 404);
});

test('variables in the form of expvar', async (t) => {
  const metrics = { Pending: 1, Events: 2, Successes: 1, Failures: 0, Errors: 0, Statuses: { '200 OK': 1 } };
  const endpoint = { name: 'a', url: 'http://a', Metrics: metrics };
  const { get } = await debugOf(t, await registryApp(t), { endpointVariables: () => [endpoint] });
  const variables = (await get('/debug/vars')).json<Record<string, Record<string, unknown>>>();
  assert.deepEqual(variables['cmdline'], process.argv);
  assert.ok(Number(variables['memstats']?.['HeapAlloc']) > 0);
  assert.deepEqual(variables['registry'], { notifications: { endpoints: [endpoint] } });
});

test('profiles: one at a time, not for long', async (t) => {
  const { get } = await debugOf(t, await registryApp(t));
  assert.match((await get('/debug/pprof/')).body, /profile\?seconds=30/);
  const [cpu, refused] = await Promise.all([
    get('/debug/pprof/profile?seconds=0.1'),
    get('/debug/pprof/heap?seconds=0.1'),
  ]);
  assert.ok(cpu.json<{ nodes: unknown[] }>().nodes.length > 0);
  assert.equal(refused.statusCode, 503);
  assert.ok((await get('/debug/pprof/heap?seconds=0.1')).json<{ head: object }>().head);
  for (const seconds of ['0', '61', 'x']) {
    assert.equal((await get(`/debug/pprof/profile?seconds=${seconds}`)).statusCode, 400);
  }
  assert.equal((await get('/debug/pprof/goroutine')).statusCode, 404);
});
