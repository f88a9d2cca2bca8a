import { apiVersion, managedBy, managedByLabel, registryLabel } from '#operator/api/names.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import type { ObjectMeta, ResourceType } from '#shared/kube/kube-client.ts';

/** What the Pods of a Registry are found by; never to change, since a Deployment's selector cannot. */
export function selectorLabels(registry: Registry): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'registry',
    'app.kubernetes.io/instance': registry.metadata.name,
    [registryLabel]: registry.metadata.name,
  };
}

export function childLabels(registry: Registry): Record<string, string> {
  return { ...selectorLabels(registry), [managedByLabel]: managedBy };
}

/** The Service for metrics, health and usage; apart, since a NodePort or LoadBalancer Service opens all of its ports. */
export function metricsServiceName(registryName: string): string {
  return `${registryName}-metrics`;
}

type Head = { apiVersion: string; kind: string; metadata: ObjectMeta & { namespace: string } };

/** The first lines of a child that goes with its Registry: every child but a retained claim. */
export function ownedHead(type: ResourceType, registry: Registry, name = registry.metadata.name): Head {
  const { name: owner, uid = '' } = registry.metadata;
  const head = childHead(type, registry, name);
  const reference = {
    apiVersion,
    kind: registryType.kind,
    name: owner,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return { ...head, metadata: { ...head.metadata, ownerReferences: [reference] } };
}

/** Children are named as their Registry. */
export function childHead(type: ResourceType, registry: Registry, name = registry.metadata.name): Head {
  return {
    apiVersion: type.apiVersion,
    kind: type.kind,
    metadata: { name, namespace: registry.metadata.namespace ?? '', labels: childLabels(registry) },
  };
}
