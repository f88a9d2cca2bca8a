import {
  type Claim,
  claimType,
  configMapType,
  type Deployment,
  deploymentType,
  networkPolicyType,
} from '#operator/children/kinds.ts';
import { podDisruptionBudgetType, type Service, serviceAccountType, serviceType } from '#operator/children/kinds.ts';
import type { Registry } from '#operator/api/registry.ts';
import { claim } from '#operator/children/claim.ts';
import { configMap } from '#operator/children/config-map.ts';
import { deployment } from '#operator/children/deployment.ts';
import { childHead } from '#operator/children/metadata.ts';
import { networkPolicy } from '#operator/children/network-policy.ts';
import { podDisruptionBudget } from '#operator/children/pod-disruption-budget.ts';
import { serviceAccount } from '#operator/children/service-account.ts';
import { metricsService, service } from '#operator/children/service.ts';
import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { type Applier, belongsTo, type Outcome } from './applier.ts';
import { cacheOf, type Caches } from './caches.ts';

export type ChildName =
  | 'serviceAccount'
  | 'claim'
  | 'configMap'
  | 'networkPolicy'
  | 'service'
  | 'metricsService'
  | 'podDisruptionBudget'
  | 'deployment';

/** What came of each child; none for a child that the Registry does not ask for. */
export type Outcomes = Partial<Record<ChildName, Outcome>>;

interface ChildrenOptions {
  client: KubeClient;
  caches: Caches;
  applier: Applier;
}

export interface Surroundings {
  image: string;
  operatorNamespace: string | undefined;
}

/** Makes all children of a Registry be as it wants them. One that is refused keeps none of the others waiting. */
export async function applyChildren(
  options: ChildrenOptions,
  registry: Registry,
  { image, operatorNamespace }: Surroundings,
  signal: AbortSignal,
): Promise<Outcomes> {
  const { applier } = options;
  const isOurs = belongsTo(registry);
  const outcomes: Outcomes = {};
  const apply = async (name: ChildName, type: ResourceType, wanted: KubeObject | undefined): Promise<void> => {
    if (wanted) outcomes[name] = await applier.apply(type, wanted, signal, isOurs);
  };
  const config = configMap(registry);
  await apply('serviceAccount', serviceAccountType, serviceAccount(registry));
  await apply('claim', claimType, await wantedClaim(applier, registry, signal));
  await apply('configMap', configMapType, config);
  await apply('networkPolicy', networkPolicyType, networkPolicy(registry, operatorNamespace));
  outcomes.service = await applyService(applier, registry, signal);
  await apply('metricsService', serviceType, metricsService(registry));
  await apply('podDisruptionBudget', podDisruptionBudgetType, podDisruptionBudget(registry));
  // A Pod must not run with what belongs to somebody else.
  const needed = [outcomes.serviceAccount, outcomes.claim, outcomes.configMap];
  if (!needed.some((outcome) => outcome?.state === 'foreign')) {
    const wanted = deployment(registry, image, config);
    await dropRollingUpdate(options, registry, wanted, signal);
    await apply('deployment', deploymentType, wanted);
  }
  await removeUnwanted(options, registry, outcomes, signal);
  return outcomes;
}

async function wantedClaim(applier: Applier, registry: Registry, signal: AbortSignal): Promise<Claim | undefined> {
  if (!registry.spec.storage.persistentVolumeClaim) return undefined;
  const existing = await applier.find<Claim>(claimType, childHead(claimType, registry), signal);
  return claim(registry, existing && belongsTo(registry)(existing) ? existing : undefined);
}

/** A Service that was lost gets its address back, since every node has it in a file; unless somebody took it meanwhile. */
async function applyService(applier: Applier, registry: Registry, signal: AbortSignal): Promise<Outcome> {
  const isOurs = belongsTo(registry);
  const live = await applier.find<Service>(serviceType, childHead(serviceType, registry), signal);
  const lost = live ? undefined : registry.status?.clusterIP;
  const outcome = await applier.apply(serviceType, service(registry, lost), signal, isOurs);
  if (lost === undefined || outcome.state !== 'refused') return outcome;
  return applier.apply(serviceType, service(registry), signal, isOurs);
}

/**
 * Somebody set the other strategy, and the API server filled in its details: theirs now, so that an apply cannot take them
 * away, and refused beside Recreate.
 */
async function dropRollingUpdate(
  { client, applier }: ChildrenOptions,
  registry: Registry,
  wanted: Deployment,
  signal: AbortSignal,
): Promise<void> {
  const live = await applier.find<Deployment>(deploymentType, wanted, signal);
  if (wanted.spec.strategy?.type !== 'Recreate' || !live?.spec.strategy?.rollingUpdate) return;
  if (!belongsTo(registry)(live)) return;
  const name = { namespace: wanted.metadata.namespace ?? '', name: wanted.metadata.name };
  await client.patch(
    deploymentType,
    name,
    { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } },
    { signal },
  );
}

async function removeUnwanted(
  { client, caches }: ChildrenOptions,
  registry: Registry,
  outcomes: Outcomes,
  signal: AbortSignal,
): Promise<void> {
  const optional = { podDisruptionBudget: podDisruptionBudgetType, networkPolicy: networkPolicyType };
  for (const [name, type] of Object.entries(optional)) {
    if (outcomes[name as ChildName]) continue;
    const { namespace = '', name: registryName } = registry.metadata;
    const live = cacheOf(caches, type).get({ namespace, name: registryName });
    if (!live?.metadata.uid || !belongsTo(registry)(live)) continue;
    await client.remove(type, { namespace, name: registryName }, { uid: live.metadata.uid, signal });
  }
}
