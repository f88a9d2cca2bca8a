/** What the operator needs because of the nodes, beside its rules for Registries and their children. */

/** Shape of rbac.authorization.k8s.io/v1 PolicyRule. */
interface PolicyRule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

export interface NodesRbacNames {
  mirrorsConfigMap: string;
  mirrorAgentDaemonSet: string;
  operatorDeployment: string;
}

/** In the operator's namespace. `create` can't be bound to a name. */
export function nodesRules({ mirrorsConfigMap, mirrorAgentDaemonSet }: NodesRbacNames): PolicyRule[] {
  return [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create'] },
    {
      apiGroups: [''],
      resources: ['configmaps'],
      resourceNames: [mirrorsConfigMap],
      verbs: ['get', 'list', 'watch', 'patch', 'delete'],
    },
    {
      apiGroups: ['apps'],
      resources: ['daemonsets'],
      resourceNames: [mirrorAgentDaemonSet],
      verbs: ['get', 'list', 'watch'],
    },
  ];
}

/** In the whole cluster. */
export const nodesClusterRules: PolicyRule[] = [
  { apiGroups: ['registry-operator.dev'], resources: ['nodemirrors'], verbs: ['get', 'list', 'watch'] },
];

/** For `operator uninstall` alone, in the operator's namespace, beside {@link nodesRules}. */
export function uninstallRules({ operatorDeployment }: NodesRbacNames): PolicyRule[] {
  return [
    { apiGroups: ['apps'], resources: ['deployments'], resourceNames: [operatorDeployment], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
  ];
}

/** For `operator uninstall` alone, in the whole cluster. */
export const uninstallClusterRules: PolicyRule[] = [
  { apiGroups: ['registry-operator.dev'], resources: ['nodemirrors'], verbs: ['list', 'delete'] },
  { apiGroups: ['registry-operator.dev'], resources: ['registries'], verbs: ['get', 'list', 'patch'] },
];
