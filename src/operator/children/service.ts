import type { V1ServicePort } from '@kubernetes/client-node';
import { debugPort } from '#operator/api/names.ts';
import type { Registry } from '#operator/api/registry.ts';
import { type Service, serviceType } from './kinds.ts';
import { metricsServiceName, ownedHead, selectorLabels } from './metadata.ts';

/**
 * The Service that clients and nodes use. `clusterIP` is the address that it had before it was lost: hosts.toml on every
 * node names it.
 */
export function service(registry: Registry, clusterIP?: string): Service {
  const { service: wanted, replicas } = registry.spec;
  const head = ownedHead(serviceType, registry);
  const address = wanted.clusterIP ?? clusterIP;
  const port: V1ServicePort = {
    name: 'registry',
    port: wanted.port,
    targetPort: 'registry',
    protocol: 'TCP',
    ...(wanted.nodePort !== undefined && { nodePort: wanted.nodePort }),
  };
  return {
    ...head,
    metadata: { ...head.metadata, ...(wanted.annotations && { annotations: wanted.annotations }) },
    spec: {
      type: wanted.type,
      selector: selectorLabels(registry),
      ports: [port],
      // The parts of an upload go to the replica that began it.
      sessionAffinity: replicas > 1 ? 'ClientIP' : 'None',
      ...(address !== undefined && { clusterIP: address }),
    },
  };
}

/** Metrics, health and usage. Serves Pods that are not ready too: usage is of interest just then. */
export function metricsService(registry: Registry): Service {
  return {
    ...ownedHead(serviceType, registry, metricsServiceName(registry.metadata.name)),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(registry),
      publishNotReadyAddresses: true,
      ports: [{ name: 'debug', port: debugPort, targetPort: 'debug', protocol: 'TCP' }],
    },
  };
}
