import { registryLabel } from '#operator/api/names.ts';
import type { Registry } from '#operator/api/registry.ts';
import { claimName } from '#operator/children/claim.ts';
import { type Claim, claimType, type Deployment, type Service, serviceType } from '#operator/children/kinds.ts';
import { readPublication } from '#operator/nodes/publication.ts';
import { planMirrors } from '#operator/nodes/registry-mirrors.ts';
import { type NodesSummary, summarizeNodes } from '#operator/nodes/summarize-nodes.ts';
import { isFailure } from '#shared/kube/failure.ts';
import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import type { Outcome } from './applier.ts';
import type { Outcomes } from './children.ts';
import type { Facts, StorageClass } from './facts.ts';
import type { RegistryReconcilerOptions } from './reconciler-options.ts';
import { isNodePortRefused } from './service-condition.ts';
import type { Pod } from './pod.ts';
import type { UsageState } from './usage-watcher.ts';

const storageClassType: ResourceType = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  namespaced: false,
};

/** Looks around. Asks the API server only for what no cache holds, and only when it matters. */
export async function gatherFacts(
  options: RegistryReconcilerOptions,
  registry: Registry,
  outcomes: Outcomes,
  signal: AbortSignal,
): Promise<Omit<Facts, 'image' | 'hosting'>> {
  const { namespace, name } = registry.metadata;
  const claim = await findClaim(options, registry, outcomes, signal);
  const pods = options.caches.pods
    .list()
    .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[registryLabel] === name);
  const isWaiting = claim !== undefined && claim.status?.phase !== 'Bound';
  return {
    now: options.clock.date(),
    registry,
    outcomes,
    claim,
    storageClasses: isWaiting ? await listStorageClasses(options, signal) : undefined,
    deployment: liveOf(outcomes.deployment) as Deployment | undefined,
    service: liveOf(outcomes.service) as Service | undefined,
    nodePortOwner: isNodePortRefused({ outcomes }) ? await findNodePortOwner(options, registry, signal) : undefined,
    pods,
    usage: followUsage(options, registry, outcomes, pods),
    nodes: lookAtNodes(options, registry),
  };
}

/** The object as it is; not somebody else's. */
function liveOf(outcome: Outcome | undefined): KubeObject | undefined {
  return outcome?.state === 'foreign' ? undefined : outcome?.live;
}

async function findClaim(
  { client }: RegistryReconcilerOptions,
  registry: Registry,
  outcomes: Outcomes,
  signal: AbortSignal,
): Promise<Claim | undefined> {
  if (registry.spec.storage.existingClaim === undefined) return liveOf(outcomes.claim) as Claim | undefined;
  const name = { namespace: registry.metadata.namespace ?? '', name: claimName(registry) ?? '' };
  return client.get<Claim>(claimType, name, { signal });
}

async function listStorageClasses(
  { client }: RegistryReconcilerOptions,
  signal: AbortSignal,
): Promise<StorageClass[] | undefined> {
  return unlessForbidden(client.list<StorageClass>(storageClassType, { signal }).then(({ items }) => items));
}

/** `namespace/name` of the Service that has the port. All Services are asked for, since caches hold ours only. */
async function findNodePortOwner(
  { client }: RegistryReconcilerOptions,
  registry: Registry,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { nodePort } = registry.spec.service;
  const services = await unlessForbidden(client.list<Service>(serviceType, { signal }));
  const owner = services?.items.find(({ spec }) => spec.ports?.some((port) => port.nodePort === nodePort));
  return owner && `${owner.metadata.namespace}/${owner.metadata.name}`;
}

/** An operator that may see a few namespaces only can do without. */
async function unlessForbidden<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isFailure(error, 403)) return undefined;
    throw error;
  }
}

function followUsage(
  { usage, access }: RegistryReconcilerOptions,
  registry: Registry,
  outcomes: Outcomes,
  pods: Pod[],
): UsageState {
  const request = { namespace: registry.metadata.namespace ?? '', name: registry.metadata.name };
  const service = liveOf(outcomes.metricsService) as Service | undefined;
  const address = service && access.addressOf(service);
  const isRunning = ((liveOf(outcomes.deployment) as Deployment | undefined)?.status?.readyReplicas ?? 0) > 0;
  if (address !== undefined && isRunning) usage.follow(request, address, readyPods(pods));
  if (registry.spec.replicas === 0) usage.forget(request);
  return usage.get(request);
}

/** Names the Pods that may answer. */
function readyPods(pods: Pod[]): string {
  const ready = pods.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && status?.containerStatuses?.every((container) => container.ready),
  );
  return ready
    .map(({ metadata }) => metadata.uid ?? '')
    .toSorted()
    .join();
}

function lookAtNodes({ caches, publication }: RegistryReconcilerOptions, registry: Registry): NodesSummary {
  const plan = planMirrors(
    caches.registries.list(),
    (name) => caches.children.services.get(name),
    readPublication(caches.publications.get(publication)),
  );
  const [daemonSet] = caches.daemonSets.list();
  return summarizeNodes({ registry, plan, reports: caches.nodeMirrors.list(), daemonSet });
}
