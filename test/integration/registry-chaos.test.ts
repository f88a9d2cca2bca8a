/**
 * Everything at once, at random but seeded (SEED=n repeats a run): children edited and deleted, specs changed, Registries
 * deleted and made again, the operator and the API server restarted. In the end all is as the Registries say.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Registry } from '#operator/api/registry.ts';
import { configMap } from '#operator/children/config-map.ts';
import { deployment } from '#operator/children/deployment.ts';
import {
  configMapType,
  deploymentType,
  networkPolicyType,
  podDisruptionBudgetType,
  serviceAccountType,
  serviceType,
} from '#operator/children/kinds.ts';
import { networkPolicy } from '#operator/children/network-policy.ts';
import { podDisruptionBudget } from '#operator/children/pod-disruption-budget.ts';
import { serviceAccount } from '#operator/children/service-account.ts';
import { metricsService, service } from '#operator/children/service.ts';
import { satisfies } from '#operator/reconcile/drift.ts';
import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { eventually } from '#test/support/eventually.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import { installOperatorRights, operatorNamespace, startOperator } from '#test/support/operator.ts';
import { registriesOn } from '#test/support/registries.ts';
import { installCrds } from '#test/support/registry-crds.ts';

const apiserver = await startKubeApiserver({ after });
await installCrds(apiserver);
await installOperatorRights(apiserver);
let operator = await startOperator(apiserver, { restarts: true });
after(() => operator.stop());
const client = await apiserver.client();
const registries = registriesOn(client);
const namespace = 'default';
const names = ['a', 'b', 'c'];
const spec = { storage: { emptyDir: {}, deletionPolicy: 'Delete' } };

/** Mulberry32: small, and the same everywhere. */
function randomOf(seed: number): <T>(choices: readonly T[]) => T {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return (choices) => choices[Math.floor(next() * choices.length)] as (typeof choices)[number];
}

const edits: [ResourceType, object][] = [
  [deploymentType, { spec: { replicas: 5 } }],
  [deploymentType, { spec: { strategy: { type: 'RollingUpdate' } } }],
  [deploymentType, { metadata: { labels: null } }],
  [serviceType, { spec: { selector: { app: 'else' } } }],
  [serviceType, { metadata: { ownerReferences: null } }],
  [configMapType, { data: { 'config.yml': 'nonsense' } }],
  [networkPolicyType, { spec: { ingress: [{}] } }],
  [podDisruptionBudgetType, { spec: { maxUnavailable: 0 } }],
];
const kinds = [...new Set(edits.map(([type]) => type)), serviceAccountType];

function wantedOf(registry: Registry): [ResourceType, KubeObject][] {
  const config = configMap(registry);
  return [
    [serviceAccountType, serviceAccount(registry)],
    [configMapType, config],
    [serviceType, service(registry)],
    [serviceType, metricsService(registry)],
    [deploymentType, deployment(registry, 'registry-operator:test', config)],
    [podDisruptionBudgetType, podDisruptionBudget(registry) as KubeObject],
    [networkPolicyType, networkPolicy(registry, operatorNamespace) as KubeObject],
  ];
}

/** Fails as long as something is not as the Registry says. */
async function assertConverged(name: string): Promise<void> {
  const registry = await registries.get(name);
  assert.equal(registry.status?.observedGeneration, registry.metadata.generation);
  for (const [type, wanted] of wantedOf(registry)) {
    const live = await client.get(type, { namespace, name: wanted.metadata.name });
    const degraded = registry.status?.conditions?.find((condition) => condition.type === 'Degraded');
    assert.ok(
      satisfies(live, wanted),
      `${type.kind} ${wanted.metadata.name} is not as it should be: ${degraded?.message}`,
    );
  }
}

test('all is as the Registries say in the end', async (context) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  context.diagnostic(`SEED=${seed}`);
  const pick = randomOf(seed);
  for (const name of names) await registries.create(name, spec);
  const actions: (() => Promise<unknown>)[] = [
    ...Array.from({ length: 6 }, () => async () => {
      const [type, patch] = pick(edits);
      const name = { namespace, name: pick(names) };
      if (await client.get(type, name)) await client.patch(type, name, patch);
    }),
    ...Array.from({ length: 6 }, () => () => client.remove(pick(kinds), { namespace, name: pick(names) })),
    () => registries.change(pick(names), { logLevel: pick(['error', 'warn', 'info', 'debug']) }),
    () => registries.change(pick(names), { server: { deletes: pick(['Enabled', 'Disabled']) } }),
    async () => {
      const name = pick(names);
      await registries.remove(name);
      await registries.create(name, spec);
    },
    async () => {
      await operator.stop();
      operator = await startOperator(apiserver, { restarts: true });
    },
  ];
  for (let step = 0; step < 80; step++) await pick(actions)();
  await apiserver.stop();
  await apiserver.start();
  for (let step = 0; step < 20; step++) await pick(actions)();
  for (const name of names) await eventually(() => assertConverged(name), { timeoutMs: 60_000 });
});
