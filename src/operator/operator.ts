/** What the operator is made of, wired together: caches, the two controllers, and what they share. */
import { randomUUID } from 'node:crypto';
import type { Registry as MetricsRegistry } from 'prom-client';
import { childSelector, group } from '#operator/api/names.ts';
import { type NodeMirror, nodeMirrorType } from '#operator/api/node-mirror.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import { type ConfigMap, configMapType } from '#operator/children/kinds.ts';
import { createMirrorPublisher, publisherRequest } from '#operator/nodes/publisher.ts';
import type { DaemonSet } from '#operator/nodes/summarize-nodes.ts';
import { type Caches, createChildCaches } from '#operator/reconcile/caches.ts';
import { watchAll } from '#operator/reconcile/concerns.ts';
import { type Pod, podType } from '#operator/reconcile/pod.ts';
import { observeRegistries } from '#operator/reconcile/registry-metrics.ts';
import { createRegistryReconciler } from '#operator/reconcile/registry-reconciler.ts';
import { directAccess, proxiedAccess, type UsageAccess } from '#operator/reconcile/usage-access.ts';
import { createUsageWatcher } from '#operator/reconcile/usage-watcher.ts';
import { createEventRecorder } from '#operator/runtime/events.ts';
import { createManager, type Manager } from '#operator/runtime/manager.ts';
import type { RuntimeMetrics } from '#operator/runtime/metrics.ts';
import type { Request } from '#operator/runtime/reconciler.ts';
import { systemClock } from '#shared/clock.ts';
import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import type { Logger } from '#shared/logger.ts';
import type { OperatorSettings } from './settings.ts';

export interface OperatorOptions {
  client: KubeClient;
  log: Logger;
  registry: MetricsRegistry;
  metrics: RuntimeMetrics;
  settings: OperatorSettings & { access: 'direct' | 'proxy' };
  /** How registries are asked for their usage; by `settings.access` when omitted. */
  access?: UsageAccess;
}

const daemonSetType: ResourceType = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  namespaced: true,
};

export function createOperator(options: OperatorOptions): Pick<Manager, 'run'> {
  const { client, log, registry, metrics, settings } = options;
  const { namespace, podName, leaseName } = settings;
  const manager = createManager({
    client,
    log,
    registry,
    metrics,
    healthAddress: settings.healthAddress,
    metricsAddress: settings.metricsAddress,
    ...(settings.leaderElection && {
      leaderElection: { namespace, name: leaseName, identity: `${podName}_${randomUUID()}` },
    }),
  });
  const caches = createCaches(manager, settings);
  observeRegistries(registry, caches.registries);
  const events = createEventRecorder({ client, controller: `${group}/operator`, instance: podName, log });
  addRegistryController(manager, caches, events, options);
  addMirrorPublisher(manager, caches, options);
  manager.add(async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await events.flush();
  });
  return manager;
}

function createCaches(manager: Manager, settings: OperatorSettings): Caches {
  const { namespace, watchNamespaces: namespaces, mirrorsConfigMap, mirrorAgentDaemonSet } = settings;
  const named = (name: string) => ({ namespaces: [namespace], fieldSelector: `metadata.name=${name}` });
  return {
    registries: manager.cache<Registry>(registryType, { namespaces }),
    children: createChildCaches((type) =>
      manager.cache<KubeObject>(type, { namespaces, labelSelector: childSelector }),
    ),
    pods: manager.cache<Pod>(podType, { namespaces, labelSelector: childSelector }),
    nodeMirrors: manager.cache<NodeMirror>(nodeMirrorType),
    daemonSets: manager.cache<DaemonSet>(daemonSetType, named(mirrorAgentDaemonSet)),
    publications: manager.cache<ConfigMap>(configMapType, named(mirrorsConfigMap)),
  };
}

function addRegistryController(
  manager: Manager,
  caches: Caches,
  events: ReturnType<typeof createEventRecorder>,
  {
    client,
    log,
    settings,
    access = settings.access === 'direct' ? directAccess : proxiedAccess(client),
  }: OperatorOptions,
): void {
  const usage = createUsageWatcher({ open: access.open, onChange: (request) => controller.enqueue(request), log });
  const reconciler = createRegistryReconciler({
    client,
    caches,
    usage,
    access,
    events,
    log,
    clock: systemClock,
    image: settings.image,
    operatorNamespace: settings.access === 'direct' ? settings.namespace : undefined,
    removalDeadlineMs: settings.removalDeadlineMs,
    publication: { namespace: settings.namespace, name: settings.mirrorsConfigMap },
  });
  const controller = manager.controller({ name: 'registry', reconciler, workers: 4 });
  watchAll(controller, caches);
  manager.add((signal) => usage.run(signal));
}

function addMirrorPublisher(manager: Manager, caches: Caches, { client, log, settings }: OperatorOptions): void {
  const { registries, children, publications } = caches;
  const reconciler = createMirrorPublisher({
    client,
    log,
    registries,
    services: children.services,
    configMaps: publications,
    configMap: { namespace: settings.namespace, name: settings.mirrorsConfigMap },
  });
  const controller = manager.controller({ name: 'mirrors', reconciler });
  const always = (): Request[] => [publisherRequest];
  controller.watch(registries, always);
  controller.watch(children.services, always);
  controller.watch(publications, always);
  controller.enqueue(publisherRequest);
}
