import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import type { NodeMirrorStatus } from '#shared/node-mirrors.ts';
import { customResourceDefinition } from './crd.ts';
import { apiVersion } from './names.ts';
import { choice, defaulted, list, object, required, string, type TypeOf } from './schema.ts';

const host = object('One host on this node.', {
  host: required(string('host[:port], as images name it.', { maxLength: 253 })),
  registry: required(
    object('The Registry that it leads to.', {
      namespace: required(string('Its namespace.', { maxLength: 63 })),
      name: required(string('Its name.', { maxLength: 253 })),
      uid: required(string('Its UID.', { maxLength: 64 })),
    }),
  ),
  state: required(
    choice(
      'Configured. Conflict: the file there is not ours and was left alone. Unreachable: written, but no address answers from ' +
        'this node. Failed: could not be written. Ineffective: written, but containerd will not use it.',
      'Configured',
      'Conflict',
      'Unreachable',
      'Failed',
      'Ineffective',
    ),
  ),
  endpoint: string('The URL in hosts.toml.', { maxLength: 512 }),
  message: string('What is wrong and what to do.', { maxLength: 1024 }),
});

const status = object('What the mirror agent of the node found and did.', {
  revision: required(
    string('Names the content of mirrors.json that was rendered last, completely.', { maxLength: 64 }),
  ),
  // Not required: server-side apply of an empty list leaves the field out.
  hosts: defaulted(
    list('The hosts on this node.', host, {
      maxItems: 1024,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['host'],
    }),
    [],
  ),
  configured: string('How many of the hosts are configured, such as 2/2.', { maxLength: 16 }),
  problems: string('The hosts that are not, with their states.', { maxLength: 256 }),
  message: string('Why an older revision is in force than the published one.', { maxLength: 1024 }),
});

type Reported = TypeOf<typeof status>;
type Whole<T> = T extends object ? { [K in keyof T]-?: Whole<T[K]> } : T;

/** What the agents report and what the schema takes (the API server drops the rest) have the same fields. */
type Agreed = [Reported, Whole<Reported>] extends [NodeMirrorStatus, Whole<NodeMirrorStatus>]
  ? [NodeMirrorStatus, Whole<NodeMirrorStatus>] extends [Reported, Whole<Reported>]
    ? typeof status
    : never
  : never;

/** Compiles only while they agree. */
const agreed: Agreed = status;

/** The report of a node, named after it. It has no spec: only the node's mirror agent writes it. */
export interface NodeMirror extends KubeObject {
  status?: NodeMirrorStatus;
}

export const nodeMirrorType: ResourceType = {
  apiVersion,
  kind: 'NodeMirror',
  plural: 'nodemirrors',
  namespaced: false,
};

export const nodeMirrorDefinition = customResourceDefinition({
  kind: nodeMirrorType.kind,
  plural: nodeMirrorType.plural,
  singular: 'nodemirror',
  shortNames: ['nm'],
  categories: ['registries'],
  scope: 'Cluster',
  description:
    "Which registry mirrors a node's containerd uses, as its mirror agent reports. Named after the node; nothing to edit.",
  status: agreed,
  columns: [
    { name: 'Configured', type: 'string', jsonPath: '.status.configured', description: 'Hosts that are configured.' },
    { name: 'Problems', type: 'string', jsonPath: '.status.problems', description: 'Hosts that are not, and why.' },
    { name: 'Revision', type: 'string', jsonPath: '.status.revision', priority: 1 },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
});
