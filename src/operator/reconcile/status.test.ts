import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Condition, ConditionType } from '#operator/api/conditions.ts';
import type { RegistryStatus } from '#operator/api/registry-status.ts';
import { deployment } from '#operator/children/deployment.ts';
import { configMap } from '#operator/children/config-map.ts';
import { claim } from '#operator/children/claim.ts';
import type { Claim, Deployment } from '#operator/children/kinds.ts';
import { service } from '#operator/children/service.ts';
import { registryOf } from '#test/support/registry-fixture.ts';
import type { Facts } from './facts.ts';
import type { Pod } from './pod.ts';
import { computeStatus } from './status.ts';
import type { Usage } from '#shared/usage.ts';

const now = new Date('2026-06-01T12:00:00Z');
const image = 'registry-operator:1';

const usage: Usage = {
  complete: true,
  repositories: 2,
  tags: 3,
  manifests: 4,
  blobs: 9,
  bytes: 5 * 2 ** 20,
  volume: { capacity: 10 * 2 ** 30, free: 9 * 2 ** 30 },
};

function deployed(registry: Facts['registry'], ready: number): Deployment {
  const made = deployment(registry, image, configMap(registry));
  const status = {
    observedGeneration: 1,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: ready,
    availableReplicas: ready,
  };
  return { ...made, metadata: { ...made.metadata, generation: 1 }, status };
}

/** A Registry with which all is well, and what is different about it here. */
function facts(different: Partial<Facts> = {}): Facts {
  const registry = different.registry ?? registryOf();
  const bound = { phase: 'Bound', capacity: { storage: '10Gi' }, accessModes: ['ReadWriteOnce'] };
  return {
    now,
    registry,
    image,
    outcomes: {},
    claim: { ...claim(registry), status: bound } as Claim,
    storageClasses: undefined,
    deployment: deployed(registry, 1),
    // As if it had been given this address.
    service: service(registry, '10.96.0.7'),
    nodePortOwner: undefined,
    pods: [],
    usage: { usage },
    nodes: { nodes: undefined, findings: [] },
    hosting: undefined,
    ...different,
  };
}

function condition({ conditions = [] }: RegistryStatus, type: ConditionType): Condition {
  const found = conditions.find((candidate) => candidate.type === type);
  assert.ok(found, type);
  return found;
}

const said = (status: RegistryStatus, type: ConditionType): string =>
  `${condition(status, type).status} ${condition(status, type).reason}`;

test('a Registry with which all is well', () => {
  const { conditions, ...status } = computeStatus(facts());
  assert.deepEqual(status, {
    observedGeneration: 1,
    replicas: 1,
    readyReplicas: 1,
    selector:
      'app.kubernetes.io/name=registry,app.kubernetes.io/instance=kind-registry,registry-operator.dev/registry=kind-registry',
    image,
    endpoint: 'http://kind-registry.default.svc:5000',
    clusterIP: '10.96.0.7',
    nodeEndpoint: 'http://10.96.0.7:5000',
    claim: 'kind-registry',
    catalog: { repositories: 2, tags: 3, manifests: 4, blobs: 9, bytes: 5_242_880 },
    storage: { capacity: '10Gi', used: '5Mi', free: '9Gi' },
  });
  assert.deepEqual(
    conditions?.map(({ type, status }) => `${type} ${status}`),
    [
      'Ready True',
      'Reconciling False',
      'Degraded False',
      'Available True',
      'StorageReady True',
      'StorageHealthy True',
      'ServiceReady True',
      'CatalogSynced True',
    ],
  );
});

test('the status of the same facts is the same, whenever', () => {
  const first = computeStatus(facts());
  const registry = { ...registryOf(), status: first };
  assert.deepEqual(computeStatus(facts({ registry, now: new Date('2027-01-01T00:00:00Z') })), first);
});

suite('Ready', () => {
  const waiting = { type: 'NodesConfigured', status: 'False', reason: 'WaitingForNodes', message: 'One.' } as const;
  const nodes = (finding: typeof waiting | object) =>
    ({ nodes: undefined, findings: [finding] }) as unknown as Facts['nodes'];

  test('waits for nodes at first, and not for one that joins later', () => {
    const first = computeStatus(facts({ nodes: nodes(waiting) }));
    assert.equal(said(first, 'Ready'), 'False WaitingForNodes');
    const registry = { ...registryOf(), status: computeStatus(facts()) };
    assert.equal(said(computeStatus(facts({ registry, nodes: nodes(waiting) })), 'Ready'), 'True Ready');
    const changed = { ...registry, metadata: { ...registry.metadata, generation: 2 } };
    assert.equal(
      said(computeStatus(facts({ registry: changed, nodes: nodes(waiting) })), 'Ready'),
      'False WaitingForNodes',
    );
  });

  test('names the first cause: no volume, so no Pod', () => {
    const unbound = { ...claim(registryOf()), status: { phase: 'Pending' } } as Claim;
    const status = computeStatus(
      facts({ claim: unbound, storageClasses: [], deployment: deployed(registryOf(), 0), usage: {} }),
    );
    assert.equal(said(status, 'Ready'), 'False NoDefaultStorageClass');
    assert.equal(said(status, 'Available'), 'False WaitingForPods');
  });

  test('nodes that do not reach a registry which is down are no news; of one that is up they are', () => {
    const unreachable = { type: 'NodesReachable', status: 'False', reason: 'ProbeFailed', message: 'x' };
    const down = facts({ nodes: nodes(unreachable), deployment: deployed(registryOf(), 0) });
    assert.equal(said(computeStatus(down), 'Degraded'), 'False AsExpected');
    assert.equal(said(computeStatus(facts({ nodes: nodes(unreachable) })), 'Degraded'), 'True ProbeFailed');
  });
});

suite('counts', () => {
  const before = { ...registryOf(), status: computeStatus(facts()) };

  test('are kept while the registry is away or still reads', () => {
    const away = computeStatus(facts({ registry: before, usage: {} }));
    assert.equal(away.catalog?.tags, 3);
    assert.equal(away.storage?.used, '5Mi');
    assert.equal(said(away, 'CatalogSynced'), 'Unknown WaitingForRegistry');
    const reading = computeStatus(
      facts({ registry: before, usage: { usage: { ...usage, complete: false, tags: 1 } } }),
    );
    assert.equal(reading.catalog?.tags, 3);
    assert.equal(said(reading, 'CatalogSynced'), 'False WaitingForIndex');
  });

  test('are called old when the registry cannot be asked', () => {
    const status = computeStatus(facts({ registry: before, usage: { usage, problem: 'connect ETIMEDOUT' } }));
    assert.equal(said(status, 'CatalogSynced'), 'False CatalogUnavailable');
    assert.match(condition(status, 'CatalogSynced').message, /ETIMEDOUT.*NetworkPolicies/);
  });
});

test('a full volume', () => {
  const full = { ...usage, volume: { capacity: 2 ** 30, free: 0 } };
  const status = computeStatus(facts({ usage: { usage: full } }));
  assert.equal(said(status, 'StorageHealthy'), 'False VolumeFull');
  assert.match(
    condition(status, 'StorageHealthy').message,
    /pushes fail: .*or raise spec.storage.persistentVolumeClaim.size/,
  );
});

test('a claim that was there before with other access modes', () => {
  const registry = registryOf({ storage: { persistentVolumeClaim: { accessModes: ['ReadWriteMany'] } } });
  const old = {
    ...claim(registry),
    spec: { accessModes: ['ReadWriteOnce'] },
    status: { phase: 'Bound' },
  } as unknown as Claim;
  assert.equal(said(computeStatus(facts({ registry, claim: old })), 'StorageReady'), 'False AccessModeConflict');
});

suite('Pods', () => {
  const pod = (status: Pod['status']): Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default' },
    spec: { nodeName: 'worker-1' },
    ...(status && { status }),
  });
  const container = { name: 'registry', image, ready: false, restartCount: 0 };
  const available = (status: Pod['status']): Condition =>
    condition(computeStatus(facts({ deployment: deployed(registryOf(), 0), pods: [pod(status)] })), 'Available');

  test('out of memory', () => {
    const lastState = { terminated: { exitCode: 137, reason: 'OOMKilled' } };
    const { reason, message } = available({ containerStatuses: [{ ...container, restartCount: 2, lastState }] });
    assert.equal(reason, 'OutOfMemory');
    assert.match(message, /raise spec.pod.resources.limits.memory/);
  });

  test('running and not ready: at first all may yet be well', () => {
    const since = (startedAt: string) =>
      available({ containerStatuses: [{ ...container, state: { running: { startedAt } } }] }).reason;
    assert.equal(since('2026-06-01T11:59:50Z'), 'WaitingForPods');
    assert.equal(since('2026-06-01T11:59:00Z'), 'NotReady');
  });

  test('on its way out it is no matter', () => {
    const gone = pod({ containerStatuses: [{ ...container, state: { waiting: { reason: 'ErrImagePull' } } }] });
    gone.metadata.deletionTimestamp = '2026-06-01T12:00:00Z';
    const status = computeStatus(facts({ deployment: deployed(registryOf(), 0), pods: [gone] }));
    assert.equal(said(status, 'Available'), 'False WaitingForPods');
  });

  test('refused by a quota, in its words', () => {
    const made = deployed(registryOf(), 0);
    const failure = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota: x' };
    const status = computeStatus(facts({ deployment: { ...made, status: { ...made.status, conditions: [failure] } } }));
    assert.equal(said(status, 'Available'), 'False PodsRefused');
    assert.match(condition(status, 'Degraded').message, /exceeded quota/);
  });

  test('none, as wanted', () => {
    const registry = registryOf({ replicas: 0 });
    const none = { ...deployed(registry, 0), status: { observedGeneration: 1 } };
    const status = computeStatus(facts({ registry, deployment: none, usage: {} }));
    assert.equal(said(status, 'Ready'), 'False ScaledToZero');
    assert.equal(said(status, 'Reconciling'), 'False Settled');
    assert.equal(said(status, 'Degraded'), 'False AsExpected');
  });
});
