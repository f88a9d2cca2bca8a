/** `status` of a Registry. */
import { conditionList } from './conditions.ts';
import { choice, integer, list, object, required, string, type TypeOf } from './schema.ts';

const count = (description: string) => integer(description, { minimum: 0, format: 'int64' });
const size = (description: string) => string(description, { maxLength: 32 });

const catalog = object('What the registry holds.', {
  repositories: required(count('Repositories.')),
  tags: required(count('Tags.')),
  manifests: required(count('Manifests.')),
  blobs: required(count('Blobs, manifests included.')),
  bytes: required(count('Size of the blobs; what several repositories share counts once.')),
});

const storage = object('The volume.', {
  capacity: size('Size of the file system.'),
  used: size('What the images use of it.'),
  free: size('What is left of it.'),
});

const nodeProblem = object('A host that a node does not pull from, or may not.', {
  node: required(string('Name of the node.', { maxLength: 253 })),
  host: string('The host; all of them when left out.', { maxLength: 253 }),
  state: required(choice('What is wrong.', 'Pending', 'Conflict', 'Unreachable', 'Failed', 'Ineffective')),
  message: string('Why, and what to do.', { maxLength: 1024 }),
});

const nodes = object('The configuration of the nodes.', {
  desired: required(count('Nodes to be configured.')),
  configured: required(count('Nodes on which every host is configured.')),
  summary: required(string('configured/desired.', { maxLength: 32 })),
  problems: list('What is wrong, the first ones.', nodeProblem, {
    maxItems: 20,
    'x-kubernetes-list-type': 'atomic',
  }),
});

export const registryStatus = object('What the registry is.', {
  observedGeneration: integer('metadata.generation that this status is about.', { minimum: 0, format: 'int64' }),
  conditions: conditionList,
  replicas: integer('Pods that exist.', { minimum: 0 }),
  readyReplicas: integer('Pods that answer.', { minimum: 0 }),
  selector: string('Label selector of the Pods, for kubectl scale and autoscalers.', { maxLength: 1024 }),
  image: string('The image that the registry runs.', { maxLength: 512 }),
  endpoint: string("The registry's URL for Pods and other programs in the cluster.", { maxLength: 512 }),
  clusterIP: string('Address of the Service, given again to the Service if it has to be made anew.', { maxLength: 45 }),
  nodeEndpoint: string('The URL that nodes pull from, {nodeIP} being the address of each.', { maxLength: 512 }),
  hosts: list('Names under which nodes pull from this registry.', string('A name.', { maxLength: 253 }), {
    maxItems: 16,
    'x-kubernetes-list-type': 'atomic',
  }),
  claim: string('The PersistentVolumeClaim that holds the data.', { maxLength: 253 }),
  catalog,
  storage,
  nodes,
});

export type RegistryStatus = TypeOf<typeof registryStatus>;
export type NodesStatus = TypeOf<typeof nodes>;
export type NodeProblem = TypeOf<typeof nodeProblem>;
