/** All that the agent may do; the chart's roles are generated from it, and the integration tests run with it. */

/** Shape of rbac.authorization.k8s.io/v1 PolicyRule. */
export interface PolicyRule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** In the operator's namespace. A watch of one name is a list as well, and resourceNames hold for both. */
export function agentRules(mirrorsConfigMap: string): PolicyRule[] {
  return [
    { apiGroups: [''], resources: ['configmaps'], resourceNames: [mirrorsConfigMap], verbs: ['get', 'list', 'watch'] },
  ];
}

/** In the whole cluster: a Node for its UID, and the report. `create` can't be bound to a name. */
export const agentClusterRules: PolicyRule[] = [
  { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
  { apiGroups: ['registry-operator.dev'], resources: ['nodemirrors'], verbs: ['create', 'patch'] },
  { apiGroups: ['registry-operator.dev'], resources: ['nodemirrors/status'], verbs: ['patch'] },
];
