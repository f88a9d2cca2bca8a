/** The parts of a Pod that a Registry passes on. Shapes: core/v1, with limits added. */
import { choice, defaulted, integer, list, map, object, quantity, required, string } from './schema.ts';

const labelKey = { maxLength: 317 };
const labelValue = { maxLength: 63 };

const requirement = object(
  'What a label must be.',
  {
    key: required(string('Key of the label.', labelKey)),
    operator: required(string('In, NotIn, Exists, DoesNotExist; for nodes also Gt and Lt.', { maxLength: 16 })),
    values: list('Values, for In and NotIn (several) or Gt and Lt (one).', string('A value.', labelValue), {
      maxItems: 64,
      'x-kubernetes-list-type': 'atomic',
    }),
  },
  {},
);

const requirements = (description: string) =>
  list(description, requirement, { maxItems: 32, 'x-kubernetes-list-type': 'atomic' });

export const labelSelector = (description: string) =>
  object(
    description,
    {
      matchLabels: map('Labels and the values that they must have.', string('A value.', labelValue), {
        maxProperties: 32,
      }),
      matchExpressions: requirements('Further requirements; all must hold.'),
    },
    { 'x-kubernetes-map-type': 'atomic' },
  );

const nodeTerm = object('All of these must hold.', {
  matchExpressions: requirements("Requirements on the node's labels."),
  matchFields: requirements("Requirements on the node's fields, such as metadata.name."),
});

const weight = () => required(integer('How much it counts, 1 to 100.', { minimum: 1, maximum: 100 }));

const nodeAffinity = object('Which nodes the Pod may or should run on.', {
  requiredDuringSchedulingIgnoredDuringExecution: object('One of these terms must hold.', {
    nodeSelectorTerms: required(
      list('The terms; one that holds is enough.', nodeTerm, { maxItems: 16, 'x-kubernetes-list-type': 'atomic' }),
    ),
  }),
  preferredDuringSchedulingIgnoredDuringExecution: list(
    'Terms that should hold.',
    object('A term and its weight.', { weight: weight(), preference: required(nodeTerm) }),
    { maxItems: 16, 'x-kubernetes-list-type': 'atomic' },
  ),
});

const podTerm = object('Pods to be near to, or away from.', {
  labelSelector: labelSelector('The Pods that are meant.'),
  namespaceSelector: labelSelector('Namespaces of these Pods; the own one when left out.'),
  namespaces: list('Namespaces of these Pods by name.', string('A namespace.', { maxLength: 63 }), {
    maxItems: 32,
    'x-kubernetes-list-type': 'atomic',
  }),
  topologyKey: required(
    string('Label of nodes whose value says what "near" is, such as kubernetes.io/hostname.', labelKey),
  ),
});

const podTerms = (description: string) =>
  object(description, {
    requiredDuringSchedulingIgnoredDuringExecution: list('All of these must hold.', podTerm, {
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    }),
    preferredDuringSchedulingIgnoredDuringExecution: list(
      'These should hold.',
      object('A term and its weight.', { weight: weight(), podAffinityTerm: required(podTerm) }),
      { maxItems: 16, 'x-kubernetes-list-type': 'atomic' },
    ),
  });

const affinity = object('Rules about the place of the Pod, as in a Pod.', {
  nodeAffinity,
  podAffinity: podTerms('Pods that the registry should run near to.'),
  podAntiAffinity: podTerms('Pods that the registry should run away from.'),
});

const toleration = object('A taint that does not keep the Pod away.', {
  key: string('Key of the taint; all when left out (operator Exists).', labelKey),
  operator: string('Equal (the default) or Exists.', { maxLength: 16 }),
  value: string('Value of the taint, for Equal.', labelValue),
  effect: choice('Effect of the taint; all when left out.', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'),
  tolerationSeconds: integer('How long NoExecute is tolerated.', { minimum: 0, format: 'int64' }),
});

const amounts = (description: string) =>
  map(description, quantity('An amount, such as 500m or 1Gi.'), { maxProperties: 16 });

export const podFields = object('How the Pod of the registry runs.', {
  resources: defaulted(
    object("The registry container's resources.", {
      requests: amounts('What is set aside for it.'),
      limits: amounts('What it may use at most. A memory limit below 128Mi is too small.'),
    }),
    { requests: { cpu: '50m', memory: '128Mi' } },
  ),
  nodeSelector: map('Labels that a node must have to run the Pod.', string('A value.', labelValue), {
    maxProperties: 32,
  }),
  tolerations: list('Taints that do not keep the Pod away.', toleration, {
    maxItems: 32,
    'x-kubernetes-list-type': 'atomic',
  }),
  affinity,
  labels: map('Labels of the Pod, besides the own ones, which win.', string('A value.', labelValue), {
    maxProperties: 32,
  }),
  annotations: map('Annotations of the Pod.', string('A value.', { maxLength: 4096 }), { maxProperties: 32 }),
  priorityClassName: string('PriorityClass of the Pod.', { maxLength: 253 }),
});

/** A peer of a NetworkPolicy. */
export const networkPeer = object('Who may connect: one of ipBlock, or Pods by namespace and label.', {
  ipBlock: object('Addresses.', {
    cidr: required(string('Such as 10.0.0.0/8.', { maxLength: 64 })),
    except: list('Parts of cidr that are left out.', string('A CIDR.', { maxLength: 64 }), {
      maxItems: 16,
      'x-kubernetes-list-type': 'atomic',
    }),
  }),
  namespaceSelector: labelSelector('Namespaces of the Pods; the own one when left out.'),
  podSelector: labelSelector('The Pods; all of the namespaces when left out.'),
});
