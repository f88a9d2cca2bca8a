/** `spec` of a Registry: every field with its type, default, rules and manual page (`kubectl explain registry.spec`). */
import { networkPeer, podFields } from './pod-spec.ts';
import { choice, defaulted, integer, list, map, object, required, string, withRules } from './schema.ts';
import { storageFields } from './storage-spec.ts';

const image = object("The registry's image. What is left out is the operator's own.", {
  repository: string('Such as ghcr.io/example/registry-operator.', { minLength: 1, maxLength: 255 }),
  tag: string('Tag of the image.', { maxLength: 128, pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*$' }),
  digest: string('Digest of the image; wins over the tag.', { maxLength: 71, pattern: '^sha256:[a-f0-9]{64}$' }),
  pullPolicy: defaulted(choice('When nodes pull the image.', 'IfNotPresent', 'Always', 'Never'), 'IfNotPresent'),
});

const pullSecret = object(
  'A Secret of type kubernetes.io/dockerconfigjson.',
  { name: required(string('Name of the Secret, in the same namespace.', { minLength: 1, maxLength: 253 })) },
  { 'x-kubernetes-map-type': 'atomic' },
);

const hostName = '[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*';
const port = '([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';

export const hostField = (description: string) =>
  withRules(
    string(description, { minLength: 1, maxLength: 253 }),
    {
      rule: `self.matches('^${hostName}(:${port})?$')`,
      message:
        'a host is host[:port] as images name it, in lower case, such as kind-registry:5000: leave out the scheme (http://) and the path',
    },
    {
      rule: "self == 'localhost' || self.contains('.') || self.contains(':')",
      message:
        'a host without a port or a dot would be read as a folder of docker.io: add the port, as in kind-registry:5000',
    },
  );

const service = withRules(
  object("The registry's Service, named as the Registry.", {
    type: defaulted(
      choice('How it is reached from outside of the cluster, if at all.', 'ClusterIP', 'NodePort', 'LoadBalancer'),
      'ClusterIP',
    ),
    port: defaulted(integer('Port of the Service.', { minimum: 1, maximum: 65_535 }), 5000),
    nodePort: integer('Port on every node; one is picked when left out. Only for NodePort and LoadBalancer.', {
      minimum: 1,
      maximum: 65_535,
    }),
    clusterIP: string(
      'A fixed address of the Service. Without it the operator keeps the one that was given, even if the Service is deleted.',
      { minLength: 2, maxLength: 45 },
    ),
    annotations: map('Annotations of the Service, for load balancers.', string('A value.', { maxLength: 4096 }), {
      maxProperties: 32,
    }),
  }),
  {
    rule: "!has(self.nodePort) || self.type != 'ClusterIP'",
    message: 'nodePort needs type NodePort or LoadBalancer: set type, or leave nodePort out',
    fieldPath: '.nodePort',
  },
  {
    rule: '!has(oldSelf.clusterIP) || (has(self.clusterIP) && self.clusterIP == oldSelf.clusterIP)',
    message: 'clusterIP cannot change, since nodes use it: set it to what it was',
    fieldPath: '.clusterIP',
  },
);

const nodes = object("How the cluster's nodes learn to pull from the registry by the names in hosts.", {
  mode: defaulted(
    choice(
      'Containerd: the mirror agent writes /etc/containerd/certs.d/<host>/hosts.toml on every node, and takes it away again. ' +
        'Disabled: nodes are left alone.',
      'Containerd',
      'Disabled',
    ),
    'Containerd',
  ),
  reachability: defaulted(
    choice(
      "The address that nodes use. ClusterIP: the Service's. NodeIP: the node's own address and the Service's node port, for " +
        'networks in which nodes cannot reach cluster IPs; needs service.type NodePort or LoadBalancer.',
      'ClusterIP',
      'NodeIP',
    ),
    'ClusterIP',
  ),
});

const localRegistryHosting = object(
  'Tells Tilt, Skaffold and other tools of the registry, by the ConfigMap kube-public/local-registry-hosting (KEP-1755). ' +
    'One Registry per cluster can have it.',
  {
    host: required(hostField("The registry's name on developers' machines, such as localhost:5001.")),
    help: string('URL of a page that says how to set the registry up.', { maxLength: 1024, pattern: '^https?://' }),
  },
);

const server = object('What the registry lets clients do.', {
  accessMode: defaulted(choice('ReadOnly refuses pushes and deletes.', 'ReadWrite', 'ReadOnly'), 'ReadWrite'),
  deletes: defaulted(choice('Whether manifests and tags can be deleted.', 'Enabled', 'Disabled'), 'Enabled'),
});

const durationPattern = '^([0-9]+([.][0-9]+)?(ms|s|m|h))+$';

const garbageCollection = object(
  'Gives back the room of what nothing refers to any more, while pushes and pulls go on. Without it deleted images keep ' +
    'their room until somebody runs registry garbage-collect.',
  {
    interval: defaulted(
      withRules(string('Time between two collections, such as 1h.', { maxLength: 32, pattern: durationPattern }), {
        rule: "duration(self) >= duration('1m')",
        message: 'interval is the time between two collections: at least 1m, or leave garbageCollection out for none',
      }),
      '1h',
    ),
    minAge: defaulted(
      withRules(
        string(
          'What was written within this time is kept, since its push may be under way. Longer than any push takes.',
          {
            maxLength: 32,
            pattern: durationPattern,
          },
        ),
        {
          rule: "duration(self) >= duration('1m')",
          message: 'minAge protects pushes that are under way: at least 1m',
        },
      ),
      '1h',
    ),
    untagged: defaulted(
      choice('Whether manifests that no tag leads to are kept, as distribution does, or removed.', 'Keep', 'Delete'),
      'Keep',
    ),
  },
);

const peers = (description: string) =>
  list(description, networkPeer, { maxItems: 32, 'x-kubernetes-list-type': 'atomic' });

const networkPolicy = withRules(
  object(
    "Who may connect to the registry's Pod. Nothing is restricted where the cluster's network ignores NetworkPolicies.",
    {
      mode: defaulted(choice('Disabled creates no NetworkPolicy.', 'Enabled', 'Disabled'), 'Enabled'),
      from: peers(
        'Who may push and pull (port 5000); everybody when left out. Nodes pull with their own addresses, so add them as ipBlock.',
      ),
      metricsFrom: peers("Who may read metrics (port 5001), besides the operator's namespace."),
    },
  ),
  {
    rule: "self.mode == 'Enabled' || (!has(self.from) && !has(self.metricsFrom))",
    message: 'from and metricsFrom need mode Enabled: set mode, or leave them out',
  },
);

export const registrySpec = withRules(
  object('What the registry should be.', {
    image: defaulted(image, {}),
    imagePullSecrets: list("Secrets to pull the registry's own image with.", pullSecret, {
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    }),
    replicas: defaulted(
      integer('Number of Pods. 0 stops the registry and keeps its data; more than 1 needs a ReadWriteMany volume.', {
        minimum: 0,
        maximum: 10,
      }),
      1,
    ),
    logLevel: defaulted(choice('What the registry logs.', 'error', 'warn', 'info', 'debug'), 'info'),
    hosts: list(
      'Names, host[:port], under which Pods name images of this registry; nodes are configured to pull them from it. ' +
        'If two Registries claim a name, the older one has it.',
      hostField('A name, such as kind-registry:5000.'),
      { maxItems: 16, 'x-kubernetes-list-type': 'set' },
    ),
    storage: required(storageFields),
    service: defaulted(service, {}),
    nodes: defaulted(nodes, {}),
    localRegistryHosting,
    server: defaulted(server, {}),
    garbageCollection,
    pod: defaulted(podFields, {}),
    podDisruptionBudget: defaulted(
      choice('Auto: a drain may take one Pod at a time away. Disabled: no PodDisruptionBudget.', 'Auto', 'Disabled'),
      'Auto',
    ),
    networkPolicy: defaulted(networkPolicy, {}),
  }),
  {
    rule: "self.replicas <= 1 || (has(self.storage.persistentVolumeClaim) && 'ReadWriteMany' in self.storage.persistentVolumeClaim.accessModes)",
    message:
      'more than one replica needs a volume that several Pods can write: set storage.persistentVolumeClaim.accessModes to [ReadWriteMany], or replicas to 1',
    fieldPath: '.replicas',
  },
  {
    rule: "self.nodes.reachability != 'NodeIP' || self.service.type != 'ClusterIP'",
    message: 'nodes.reachability NodeIP needs a port on the nodes: set service.type to NodePort',
    fieldPath: '.nodes.reachability',
  },
);
