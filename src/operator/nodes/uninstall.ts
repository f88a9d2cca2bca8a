/**
 * What has to happen before the chart goes: `operator uninstall`, its pre-delete hook. The nodes are left as they were
 * found, and Registries can be deleted later although no operator is there to do it. Never stuck: a node that does not
 * answer in time is named, and the rest goes on.
 */
import { finalizer } from '#operator/api/names.ts';
import { type NodeMirror, nodeMirrorType } from '#operator/api/node-mirror.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import { configMapType, type Deployment, deploymentType } from '#operator/children/kinds.ts';
import { type Clock, sleep } from '#shared/clock.ts';
import { isFailure } from '#shared/kube/failure.ts';
import type { KubeClient, KubeObject, ListOptions, ResourceType } from '#shared/kube/kube-client.ts';
import type { Logger } from '#shared/logger.ts';
import { emptyMirrors, mirrorsRevision, serializeMirrors } from '#shared/node-mirrors.ts';
import { publish } from './publication.ts';
import type { UninstallSettings } from './uninstall-settings.ts';

export interface UninstallOptions {
  client: KubeClient;
  settings: UninstallSettings;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}

type Step = (options: UninstallOptions) => Promise<void>;

const podType: ResourceType = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

/** Milliseconds between two looks at what others have to do. */
const lookMs = 250;

const steps: [string, Step][] = [
  ['stop the operator', stopOperator],
  ['tell the nodes that there are no mirrors', publishNothing],
  ['wait for the nodes', waitForNodes],
  ['free the Registries of our finalizer', freeRegistries],
  ['remove the ConfigMap and the reports', removeReports],
];

/** Rejects when the API server refuses something; to be run again then. */
export async function uninstall(options: UninstallOptions): Promise<void> {
  for (const [name, step] of steps) {
    options.log.info(name);
    await step(options);
  }
}

/** Else it would publish the mirrors again. */
async function stopOperator({ client, settings, clock, log, signal }: UninstallOptions): Promise<void> {
  const { namespace, deployment: name, deadlineMs } = settings;
  const deployment = await client.get<Deployment>(deploymentType, { namespace, name }, { signal });
  if (!deployment) return;
  await client.patch(deploymentType, { namespace, name }, { spec: { replicas: 0 } }, { signal });
  const labelSelector = Object.entries(deployment.spec.selector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const left = await waitUntilEmpty(clock, deadlineMs, signal, async () => {
    const pods = await client.list(podType, { namespace, labelSelector, signal });
    return pods.items.map(({ metadata }) => metadata.name);
  });
  if (left.length > 0) log.warn({ pods: left }, 'the operator is still there; going on');
}

async function publishNothing({ client, settings, signal }: UninstallOptions): Promise<void> {
  const name = { namespace: settings.namespace, name: settings.mirrorsConfigMap };
  await publish(client, name, serializeMirrors(emptyMirrors), signal);
}

async function waitForNodes({ client, settings, clock, log, signal }: UninstallOptions): Promise<void> {
  const revision = mirrorsRevision(serializeMirrors(emptyMirrors));
  const late = await waitUntilEmpty(clock, settings.deadlineMs, signal, async () => {
    const reports = await listIfServed<NodeMirror>(client, nodeMirrorType, { signal });
    return reports.filter((report) => !isClean(report, revision)).map(({ metadata }) => metadata.name);
  });
  if (late.length === 0) return;
  const message =
    'these nodes did not confirm that our files are gone: look for files in /etc/containerd/certs.d ' +
    'that begin with "# registry-operator.dev"';
  log.warn({ nodes: late }, message);
}

/** What somebody edited was left alone: it is theirs. */
function isClean({ status }: NodeMirror, revision: string): boolean {
  return status?.revision === revision && status.hosts.every(({ state }) => state === 'Conflict');
}

async function freeRegistries({ client, settings, signal }: UninstallOptions): Promise<void> {
  const namespaces = settings.watchNamespaces.length > 0 ? settings.watchNamespaces : [undefined];
  for (const namespace of namespaces) {
    const where = namespace === undefined ? {} : { namespace };
    for (const registry of await listIfServed<Registry>(client, registryType, { ...where, signal })) {
      await freeRegistry(client, registry, signal);
    }
  }
}

async function freeRegistry(client: KubeClient, { metadata }: Registry, signal: AbortSignal): Promise<void> {
  const name = { namespace: metadata.namespace ?? '', name: metadata.name };
  let finalizers = metadata.finalizers ?? [];
  let { resourceVersion } = metadata;
  while (finalizers.includes(finalizer)) {
    const rest = finalizers.filter((candidate) => candidate !== finalizer);
    try {
      // With the version: a finalizer that somebody adds just now must not be lost.
      await client.patch(registryType, name, { metadata: { finalizers: rest, resourceVersion } }, { signal });
      return;
    } catch (error) {
      if (!isFailure(error, 409) && !isFailure(error, 404)) throw error;
      const now = await client.get(registryType, name, { signal });
      finalizers = now?.metadata.finalizers ?? [];
      resourceVersion = now?.metadata.resourceVersion;
    }
  }
}

/** The ConfigMap first: without it the agents write no reports. */
async function removeReports({ client, settings, signal }: UninstallOptions): Promise<void> {
  await client.remove(configMapType, { namespace: settings.namespace, name: settings.mirrorsConfigMap }, { signal });
  for (const { metadata } of await listIfServed<NodeMirror>(client, nodeMirrorType, { signal })) {
    await client.remove(nodeMirrorType, { namespace: '', name: metadata.name }, { signal });
  }
}

/** Nothing, where the kind is not served (any more). */
async function listIfServed<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  options: ListOptions & { signal: AbortSignal },
): Promise<T[]> {
  try {
    return (await client.list<T>(type, options)).items;
  } catch (error) {
    if (isFailure(error, 404)) return [];
    throw error;
  }
}

/** Looks until nothing is left or time is up; what is left then. */
async function waitUntilEmpty(
  clock: Clock,
  deadlineMs: number,
  signal: AbortSignal,
  look: () => Promise<string[]>,
): Promise<string[]> {
  const deadline = clock.now() + deadlineMs;
  for (;;) {
    const left = await look();
    if (left.length === 0 || clock.now() > deadline || signal.aborted) return left;
    await sleep(clock, lookMs, signal);
  }
}
