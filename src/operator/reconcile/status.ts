import { type Finding, toConditions } from '#operator/api/conditions.ts';
import { formatBytes } from '#operator/api/quantity.ts';
import type { RegistryStatus } from '#operator/api/registry-status.ts';
import { claimName } from '#operator/children/claim.ts';
import { selectorLabels } from '#operator/children/metadata.ts';
import { nodeEndpoints } from '#operator/nodes/registry-mirrors.ts';
import { available } from './available-condition.ts';
import { catalogSynced } from './catalog-condition.ts';
import type { Facts } from './facts.ts';
import { serviceReady } from './service-condition.ts';
import { storageHealthy, storageReady } from './storage-conditions.ts';
import { summarize } from './summary-conditions.ts';

/** The status of a Registry, from what is known: pure. Fields that we do not know now are as they were. */
export function computeStatus(facts: Facts): RegistryStatus {
  const { now, registry, image, deployment, service, nodes } = facts;
  const { generation = 0 } = registry.metadata;
  const { clusterIP } = service?.spec ?? {};
  const [nodeEndpoint] = nodeEndpoints(registry, service);
  const claim = claimName(registry);
  return {
    observedGeneration: generation,
    conditions: toConditions(computeFindings(facts), registry.status?.conditions, generation, now),
    replicas: deployment?.status?.replicas ?? 0,
    readyReplicas: deployment?.status?.readyReplicas ?? 0,
    selector: Object.entries(selectorLabels(registry))
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    image,
    endpoint: endpointOf(facts),
    ...known('clusterIP', clusterIP ?? registry.status?.clusterIP),
    ...known('nodeEndpoint', nodeEndpoint),
    ...known('hosts', registry.spec.hosts),
    ...known('claim', claim),
    ...volumeAndCatalog(facts),
    ...known('nodes', nodes.nodes),
  };
}

function computeFindings(facts: Facts): Finding[] {
  const findings: Finding[] = [
    { type: 'Available', ...available(facts) },
    { type: 'StorageReady', ...storageReady(facts) },
    { type: 'StorageHealthy', ...storageHealthy(facts) },
    { type: 'ServiceReady', ...serviceReady(facts) },
    ...facts.nodes.findings,
    { type: 'CatalogSynced', ...catalogSynced(facts) },
    ...(facts.hosting ? [facts.hosting] : []),
  ];
  return [...summarize(facts, findings), ...findings];
}

/** A URL that every Pod of the cluster can use; which names nodes know is in `hosts`. */
function endpointOf({ registry: { metadata, spec } }: Facts): string {
  return `http://${metadata.name}.${metadata.namespace}.svc:${spec.service.port}`;
}

/** Half-read counts are worse than old ones, and old ones better than none. */
function volumeAndCatalog({ registry, usage: { usage }, claim }: Facts): Pick<RegistryStatus, 'catalog' | 'storage'> {
  const { catalog, storage = {} } = registry.status ?? {};
  const capacity = claim?.status?.capacity?.['storage'];
  if (!usage)
    return {
      ...known('catalog', catalog),
      storage: { ...storage, ...known('capacity', storage.capacity ?? capacity) },
    };
  const { complete, repositories, tags, manifests, blobs, bytes, volume } = usage;
  const used = complete ? formatBytes(bytes) : storage.used;
  return {
    ...known('catalog', complete ? { repositories, tags, manifests, blobs, bytes } : catalog),
    storage: {
      ...known('capacity', volume ? formatBytes(volume.capacity) : capacity),
      ...known('used', used),
      ...(volume && { free: formatBytes(volume.free, 2) }),
    },
  };
}

function known<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}
