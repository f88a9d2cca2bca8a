import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { customResourceDefinition } from './crd.ts';
import { apiVersion } from './names.ts';
import { registrySpec } from './registry-spec.ts';
import { registryStatus, type RegistryStatus } from './registry-status.ts';
import type { TypeOf } from './schema.ts';

export type RegistrySpec = TypeOf<typeof registrySpec>;

/** A Registry as the API server stores it, its defaults filled in. */
export interface Registry extends KubeObject {
  spec: RegistrySpec;
  status?: RegistryStatus;
}

export const registryType: ResourceType = { apiVersion, kind: 'Registry', plural: 'registries', namespaced: true };

const ready = (field: string) => `.status.conditions[?(@.type=="Ready")].${field}`;

export const registryDefinition = customResourceDefinition({
  kind: registryType.kind,
  plural: registryType.plural,
  singular: 'registry',
  shortNames: ['reg'],
  categories: ['registries'],
  scope: 'Namespaced',
  description:
    'A container registry in the cluster: its server, storage and Service, and the configuration of the nodes that pull from it.',
  spec: registrySpec,
  status: registryStatus,
  rules: [
    {
      // The longest child is <name>-metrics, a Service: at most 63 characters, the first one a letter.
      rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,53}[a-z0-9])?$')",
      message:
        'metadata.name also names the Service: use at most 55 lower-case letters, digits and hyphens, the first one a letter',
    },
  ],
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    labelSelectorPath: '.status.selector',
  },
  columns: [
    { name: 'Ready', type: 'string', jsonPath: ready('status'), description: 'Pushes and pulls work.' },
    { name: 'Endpoint', type: 'string', jsonPath: '.status.endpoint', description: 'URL in the cluster.' },
    { name: 'Repos', type: 'integer', jsonPath: '.status.catalog.repositories', description: 'Repositories.' },
    { name: 'Tags', type: 'integer', jsonPath: '.status.catalog.tags', description: 'Tags.' },
    { name: 'Used', type: 'string', jsonPath: '.status.storage.used', description: 'Size of the images.' },
    { name: 'Nodes', type: 'string', jsonPath: '.status.nodes.summary', description: 'Nodes configured / wanted.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Hosts', type: 'string', jsonPath: '.status.hosts', description: 'Names in images.', priority: 1 },
    { name: 'Reason', type: 'string', jsonPath: ready('reason'), description: 'Why it is (not) ready.', priority: 1 },
  ],
});
