import type { NodeMirror } from '#operator/api/node-mirror.ts';
import type { Registry } from '#operator/api/registry.ts';
import {
  childTypes,
  type Claim,
  type ConfigMap,
  type Deployment,
  type NetworkPolicy,
  type PodDisruptionBudget,
  type Service,
  type ServiceAccount,
} from '#operator/children/kinds.ts';
import type { DaemonSet } from '#operator/nodes/summarize-nodes.ts';
import type { Cache } from '#shared/kube/cache.ts';
import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import type { Pod } from './pod.ts';

/** What the reconciler knows of the world without asking: of children and Pods those that carry our labels. */
export interface Caches {
  registries: Cache<Registry>;
  children: ChildCaches;
  pods: Cache<Pod>;
  nodeMirrors: Cache<NodeMirror>;
  /** The mirror agents'. */
  daemonSets: Cache<DaemonSet>;
  /** The operator's own namespace: what is published to the nodes. */
  publications: Cache<ConfigMap>;
}

/** By plural. */
export interface ChildCaches {
  serviceaccounts: Cache<ServiceAccount>;
  persistentvolumeclaims: Cache<Claim>;
  configmaps: Cache<ConfigMap>;
  services: Cache<Service>;
  deployments: Cache<Deployment>;
  poddisruptionbudgets: Cache<PodDisruptionBudget>;
  networkpolicies: Cache<NetworkPolicy>;
}

export function cacheOf({ children }: Pick<Caches, 'children'>, { plural }: ResourceType): Cache<KubeObject> {
  const cache: Cache<KubeObject> | undefined = children[plural as keyof ChildCaches];
  if (!cache) throw new Error(`no cache of ${plural}`);
  return cache;
}

export function createChildCaches(create: (type: ResourceType) => Cache<KubeObject>): ChildCaches {
  return Object.fromEntries(childTypes.map((type) => [type.plural, create(type)])) as unknown as ChildCaches;
}
