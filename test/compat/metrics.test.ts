/** Dashboards and alerts of distribution find what they ask for: its metrics, with their types and labels, and its variables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { image } from '#test/support/content.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry, type RegistryKind } from '#test/support/registry.ts';
import type { Scope } from '#test/support/scope.ts';

/** Of an endpoint that nobody listens at. */
const notifications = { endpoints: [{ name: 'nobody', url: 'http://127.0.0.1:1/' }] };

interface Variables {
  cmdline: string[];
  memstats: Record<string, number>;
  registry: { notifications: { endpoints: { Metrics: object }[] } };
}

async function exposed(scope: Scope, kind: RegistryKind): Promise<{ metrics: string[]; variables: Variables }> {
  const registry = await startRegistry(scope, { kind, config: { notifications } });
  const client = registryClient(registry.url);
  await client.pushImage('a', image('metrics'), 'x');
  await client.pullAll('a', 'x');
  await client.tags('a');
  await client.repositories();
  await client.deleteManifest('a', 'x');
  const text = await (await fetch(`${registry.debugUrl}/metrics`)).text();
  const types = [...text.matchAll(/^# TYPE (registry_\w+ \w+)$/gm)].map(([, type]) => String(type));
  const series = [...text.matchAll(/^(registry_\w+)\{(.*)\}/gm)].map(
    ([, name, labels]) => `${name} ${labelNames(labels)}`,
  );
  const variables = (await (await fetch(`${registry.debugUrl}/debug/vars`)).json()) as Variables;
  // Pull-through is what we don't have.
  const metrics = [...new Set([...types, ...series])].filter((name) => !name.startsWith('registry_proxy_'));
  return { metrics, variables };
}

function labelNames(labels = ''): string {
  return [...labels.matchAll(/(\w+)="/g)]
    .map(([, name]) => String(name))
    .toSorted()
    .join();
}

test('metrics and variables of distribution are there, under the same names, with the same types and labels', async (t) => {
  const theirs = await exposed(t, 'distribution');
  const ours = await exposed(t, 'ours');
  assert.ok(theirs.metrics.length > 20, theirs.metrics.join('\n'));
  assert.deepEqual(
    theirs.metrics.filter((name) => !ours.metrics.includes(name)),
    [],
  );
  assert.ok(ours.variables.cmdline.length > 0 && Number(ours.variables.memstats['HeapAlloc']) > 0);
  const [endpoint, peer] = [ours, theirs].map(
    ({ variables }) => variables.registry.notifications.endpoints[0]?.Metrics ?? {},
  );
  assert.deepEqual(Object.keys(endpoint ?? {}), Object.keys(peer ?? {}));
});
