/**
 * Everything that the operator may do in a cluster, and why. The chart's roles are generated from this table, and the
 * integration tests run the operator with exactly these rights.
 */
import { group } from '#operator/api/names.ts';

/** Shape: rbac/v1 PolicyRule. */
export interface PolicyRule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

const read = ['get', 'list', 'watch'];

/** Server-side apply is a patch, and a create if there is no object yet. */
const apply = [...read, 'create', 'patch'];

/** In every namespace that is watched. */
export const clusterRules: PolicyRule[] = [
  // The resource itself; a patch adds and takes the finalizer.
  { apiGroups: [group], resources: ['registries'], verbs: [...read, 'patch'] },
  { apiGroups: [group], resources: ['registries/status'], verbs: ['patch'] },
  // Without it, blockOwnerDeletion in the children's ownerReferences is refused where OwnerReferencesPermissionEnforcement is on.
  { apiGroups: [group], resources: ['registries/finalizers'], verbs: ['update'] },
  // The nodes' reports, removed at uninstall.
  { apiGroups: [group], resources: ['nodemirrors'], verbs: [...read, 'delete'] },
  // Children; two of them are deleted when a Registry no longer asks for them, all go with their owner. No claim ever.
  { apiGroups: [''], resources: ['serviceaccounts', 'configmaps', 'services', 'persistentvolumeclaims'], verbs: apply },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: apply },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: [...apply, 'delete'] },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: [...apply, 'delete'] },
  // Why a registry does not start: images that can't be pulled, crashes, no node that fits.
  { apiGroups: [''], resources: ['pods'], verbs: read },
  // Why a claim is not bound.
  { apiGroups: ['storage.k8s.io'], resources: ['storageclasses'], verbs: ['get', 'list'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];

/** In the operator's own namespace. */
export const namespaceRules: PolicyRule[] = [
  // Leader election.
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update', 'patch'] },
  // What the mirror agents shall do; deleted at uninstall, and when somebody made it immutable.
  { apiGroups: [''], resources: ['configmaps'], verbs: [...apply, 'delete'] },
  // Whether the agents run.
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: read },
  // Uninstall stops the operator first, and waits for its Pods to go.
  { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  { apiGroups: ['apps'], resources: ['deployments', 'deployments/scale'], verbs: ['get', 'patch'] },
];

/** In kube-public: the ConfigMap by which tools find the registry (KEP-1755). A create cannot be granted by name. */
export const kubePublicRules: PolicyRule[] = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
  {
    apiGroups: [''],
    resources: ['configmaps'],
    resourceNames: ['local-registry-hosting'],
    verbs: ['get', 'patch', 'delete'],
  },
];
