/** Which Registries a changed object is about. */
import { ownerAnnotation, registryLabel } from '#operator/api/names.ts';
import type { Registry } from '#operator/api/registry.ts';
import type { Controller } from '#operator/runtime/controller.ts';
import type { Request } from '#operator/runtime/reconciler.ts';
import type { KubeObject } from '#shared/kube/kube-client.ts';
import type { Caches } from './caches.ts';

/** Has the controller look at a Registry whenever something changes that its children or its status depend on. */
export function watchAll(controller: Controller, caches: Caches): void {
  controller.watch(caches.registries, (registry) => [requestOf(registry), ...rivals(caches, registry)]);
  for (const cache of Object.values(caches.children)) controller.watch<KubeObject>(cache, byLabel);
  controller.watch(caches.pods, byLabel);
  const allOnNodes = (): Request[] => caches.registries.list().filter(concernsNodes).map(requestOf);
  controller.watch(caches.nodeMirrors, allOnNodes);
  controller.watch(caches.daemonSets, allOnNodes);
  controller.watch(caches.publications, allOnNodes);
}

function requestOf({ metadata }: KubeObject): Request {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

function byLabel({ metadata }: KubeObject): Request[] {
  const owner = metadata.annotations?.[ownerAnnotation];
  const [namespace = '', name = ''] = owner?.split('/') ?? [];
  if (owner !== undefined) return [{ namespace, name }];
  const registry = metadata.labels?.[registryLabel];
  return registry === undefined ? [] : [{ namespace: metadata.namespace ?? '', name: registry }];
}

function concernsNodes({ metadata, spec }: Registry): boolean {
  return (spec.hosts ?? []).length > 0 || metadata.deletionTimestamp !== undefined;
}

/** Others that want the same host, or to be the one that tools find. */
function rivals({ registries }: Caches, registry: Registry): Request[] {
  const hosts = new Set(registry.spec.hosts);
  const isRival = ({ metadata, spec }: Registry): boolean => {
    if (metadata.uid === registry.metadata.uid) return false;
    const both = spec.localRegistryHosting !== undefined && registry.spec.localRegistryHosting !== undefined;
    return both || (spec.hosts ?? []).some((host) => hosts.has(host));
  };
  return registries.list().filter(isRival).map(requestOf);
}
