import type { V1NetworkPolicyIngressRule, V1NetworkPolicyPeer } from '@kubernetes/client-node';
import { debugPort, registryPort } from '#operator/api/names.ts';
import type { Registry } from '#operator/api/registry.ts';
import { type NetworkPolicy, networkPolicyType } from './kinds.ts';
import { ownedHead, selectorLabels } from './metadata.ts';

/**
 * Port 5000 for everybody, nodes included, unless `from` narrows it; port 5001 for the operator and who is named. The
 * registry itself opens no connection. `operatorNamespace` is `undefined` for an operator outside of the cluster: its
 * requests come by way of the API server, whose address no policy can name, so 5001 is open then.
 */
export function networkPolicy(registry: Registry, operatorNamespace: string | undefined): NetworkPolicy | undefined {
  const { mode, from, metricsFrom = [] } = registry.spec.networkPolicy;
  if (mode === 'Disabled') return undefined;
  const operator: V1NetworkPolicyPeer = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': operatorNamespace ?? '' } },
  };
  return {
    ...ownedHead(networkPolicyType, registry),
    spec: {
      podSelector: { matchLabels: selectorLabels(registry) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [rule(registryPort, from), rule(debugPort, operatorNamespace ? [operator, ...metricsFrom] : undefined)],
    },
  };
}

function rule(port: number, from: V1NetworkPolicyPeer[] | undefined): V1NetworkPolicyIngressRule {
  // client-node calls the field `_from`, which is wrong in raw JSON.
  const peers = from && { from };
  return { ...peers, ports: [{ port, protocol: 'TCP' }] };
}
