/** The children of a Registry on a real API server: made, kept as they should be, others' fields left alone. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { apiVersion } from '#operator/api/names.ts';
import {
  type Claim,
  claimType,
  configMapType,
  type Deployment,
  deploymentType,
  networkPolicyType,
  type PodDisruptionBudget,
  podDisruptionBudgetType,
  type Service,
  serviceAccountType,
  serviceType,
} from '#operator/children/kinds.ts';
import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { eventually } from '#test/support/eventually.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import { installOperatorRights, startOperator } from '#test/support/operator.ts';
import { registriesOn } from '#test/support/registries.ts';
import { installCrds } from '#test/support/registry-crds.ts';

const apiserver = await startKubeApiserver({ after });
await installCrds(apiserver);
await installOperatorRights(apiserver);
const operator = await startOperator(apiserver);
after(() => operator.stop());
const client = await apiserver.client();
const registries = registriesOn(client);
const namespace = 'default';
const claim = { persistentVolumeClaim: { size: '1Gi' } };

test('all children are made, and belong to the Registry; a retained claim does not', async () => {
  const { metadata } = await registries.create('whole', { storage: claim });
  const owned: [ResourceType, string][] = [
    [serviceAccountType, 'whole'],
    [configMapType, 'whole'],
    [serviceType, 'whole'],
    [serviceType, 'whole-metrics'],
    [podDisruptionBudgetType, 'whole'],
    [networkPolicyType, 'whole'],
    [deploymentType, 'whole'],
  ];
  for (const [type, name] of owned) {
    const child = await registries.appears(type, name);
    const [owner] = child.metadata.ownerReferences ?? [];
    assert.deepEqual(owner, {
      apiVersion,
      kind: 'Registry',
      name: 'whole',
      uid: metadata.uid,
      controller: true,
      blockOwnerDeletion: true,
    });
    assert.equal(child.metadata.labels?.['registry-operator.dev/registry'], 'whole');
  }
  const volume = await registries.appears<Claim>(claimType, 'whole');
  assert.equal(volume.metadata.ownerReferences, undefined);
  assert.equal(volume.metadata.labels?.['registry-operator.dev/registry-uid'], metadata.uid);
});

test('the Pods pass the restricted profile', async () => {
  await apiserver.kubectl(['label', 'namespace', 'default', 'pod-security.kubernetes.io/enforce=restricted']);
  await registries.create('restricted', { storage: { emptyDir: {}, deletionPolicy: 'Delete' } });
  const { spec } = await registries.appears<Deployment>(deploymentType, 'restricted');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'as-templated', labels: spec.template.metadata?.labels },
    spec: spec.template.spec,
  };
  await apiserver.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod));
});

suite('what somebody changes or deletes is put right', () => {
  const edits: [
    name: string,
    type: ResourceType,
    child: string,
    patch: object,
    path: (object: KubeObject) => unknown,
  ][] = [
    ['replicas', deploymentType, 'drift', { spec: { replicas: 3 } }, (object) => (object as Deployment).spec.replicas],
    [
      'the strategy',
      deploymentType,
      'drift',
      { spec: { strategy: { type: 'RollingUpdate' } } },
      (object) => (object as Deployment).spec.strategy,
    ],
    [
      'the type of the Service',
      serviceType,
      'drift',
      { spec: { type: 'NodePort' } },
      (object) => (object as Service).spec.type,
    ],
    [
      'the selector',
      serviceType,
      'drift-metrics',
      { spec: { selector: { app: 'x' } } },
      (object) => (object as Service).spec.selector,
    ],
    [
      'the configuration',
      configMapType,
      'drift',
      { data: { 'config.yml': 'x' } },
      (object) => (object as { data?: unknown }).data,
    ],
    [
      'a token',
      serviceAccountType,
      'drift',
      { automountServiceAccountToken: true },
      (object) => (object as { automountServiceAccountToken?: unknown }).automountServiceAccountToken,
    ],
    [
      'the budget',
      podDisruptionBudgetType,
      'drift',
      { spec: { maxUnavailable: 0 } },
      (object) => (object as PodDisruptionBudget).spec.maxUnavailable,
    ],
    [
      'a rule more',
      networkPolicyType,
      'drift',
      { spec: { ingress: [{}] } },
      (object) => (object as { spec?: { ingress?: unknown } }).spec?.ingress,
    ],
    [
      'the labels by which we know it',
      configMapType,
      'drift',
      { metadata: { labels: { 'app.kubernetes.io/name': null } } },
      ({ metadata }) => metadata.labels,
    ],
    [
      'the owner',
      serviceType,
      'drift',
      { metadata: { ownerReferences: null } },
      ({ metadata }) => metadata.ownerReferences,
    ],
  ];
  for (const [what, type, child, patch, read] of edits) {
    test(`${what} of the ${type.kind}`, async () => {
      if (!(await client.get(deploymentType, { namespace, name: 'drift' }))) {
        await registries.create('drift', { storage: claim });
        await registries.condition('drift', 'ServiceReady', 'True');
      }
      const before = read(await registries.appears(type, child));
      await client.patch(type, { namespace, name: child }, patch);
      await eventually(async () => assert.deepEqual(read(await registries.appears(type, child)), before));
    });
  }

  test('each child is made again, the Service with the address that it had', async () => {
    await registries.create('deleted', { storage: claim });
    await registries.condition('deleted', 'ServiceReady', 'True');
    const address = (await registries.appears<Service>(serviceType, 'deleted')).spec.clusterIP;
    assert.equal((await registries.get('deleted')).status?.clusterIP, address);
    const children: [ResourceType, string][] = [
      [serviceAccountType, 'deleted'],
      [configMapType, 'deleted'],
      [serviceType, 'deleted'],
      [serviceType, 'deleted-metrics'],
      [podDisruptionBudgetType, 'deleted'],
      [networkPolicyType, 'deleted'],
      [deploymentType, 'deleted'],
      [claimType, 'deleted'],
    ];
    for (const [type, name] of children) {
      const { uid } = (await registries.appears(type, name)).metadata;
      await client.remove(type, { namespace, name });
      // The controller that lets a claim go when no Pod uses it does not run here.
      if (type === claimType) await client.patch(type, { namespace, name }, { metadata: { finalizers: null } });
      await eventually(async () => assert.notEqual((await registries.appears(type, name)).metadata.uid, uid));
    }
    assert.equal((await registries.appears<Service>(serviceType, 'deleted')).spec.clusterIP, address);
  });
});

test('fields of others survive: annotations, a sidecar, a label', async () => {
  await registries.create('shared', { storage: claim });
  await registries.appears(deploymentType, 'shared');
  const sidecar = { name: 'sidecar', image: 'busybox' };
  await client.patch(
    deploymentType,
    { namespace, name: 'shared' },
    {
      metadata: { annotations: { 'example.com/note': 'mine' }, labels: { team: 'a' } },
    },
  );
  await client.patch(deploymentType, { namespace, name: 'shared' }, [
    { op: 'add', path: '/spec/template/spec/containers/-', value: sidecar },
  ]);
  await registries.change('shared', { logLevel: 'debug' });
  await eventually(async () => {
    const { metadata, spec } = await registries.appears<Deployment>(deploymentType, 'shared');
    const config = await registries.appears<KubeObject & { data: Record<string, string> }>(configMapType, 'shared');
    assert.match(config.data['config.yml'] ?? '', /level: debug/);
    assert.equal(metadata.annotations?.['example.com/note'], 'mine');
    assert.equal(metadata.labels?.['team'], 'a');
    assert.deepEqual(spec.template.spec?.containers.map(({ name }) => name).toSorted(), ['registry', 'sidecar']);
  });
});

test('a settled Registry costs nothing: a look at it writes nothing', async () => {
  await registries.create('quiet', { storage: { emptyDir: {}, deletionPolicy: 'Delete' } });
  await registries.reportPods('quiet', 1);
  await registries.condition('quiet', 'Available', 'True');
  const reconciles = (): Promise<number> =>
    operator.metric('controller_runtime_reconcile_total', { controller: 'registry' });
  const settled = await eventually(async () => {
    const before = await reconciles();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await reconciles(), before);
    return before;
  });
  const writes = (): Promise<number> => operator.metric('rest_client_requests_total', { method: 'PATCH' });
  const before = await writes();
  await client.patch(
    serviceType,
    { namespace, name: 'quiet' },
    { metadata: { annotations: { 'example.com/touch': '1' } } },
  );
  await eventually(async () => assert.ok((await reconciles()) > settled));
  assert.equal(await writes(), before);
});

test('a Service changes its type and ports, and keeps its address', async () => {
  await registries.create('ports', { storage: claim, service: { type: 'NodePort', nodePort: 30_601 } });
  const { clusterIP } = (await registries.appears<Service>(serviceType, 'ports')).spec;
  const becomes = (type: string, port: number, nodePort?: number): Promise<void> =>
    eventually(async () => {
      const { spec } = await registries.appears<Service>(serviceType, 'ports');
      assert.deepEqual([spec.type, spec.clusterIP, spec.ports?.length], [type, clusterIP, 1]);
      assert.deepEqual([spec.ports?.[0]?.port, spec.ports?.[0]?.nodePort], [port, nodePort]);
    });
  await registries.change('ports', { service: { nodePort: 30_602 } });
  await becomes('NodePort', 5000, 30_602);
  await registries.change('ports', { service: { type: 'ClusterIP', nodePort: null, port: 80 } });
  await becomes('ClusterIP', 80);
  await registries.change('ports', { service: { type: 'NodePort', nodePort: 30_601, port: 5000 } });
  await becomes('NodePort', 5000, 30_601);
});

test('what is disabled is removed, and comes back', async () => {
  await registries.create('optional', { storage: claim });
  await registries.appears(networkPolicyType, 'optional');
  await registries.change('optional', { podDisruptionBudget: 'Disabled', networkPolicy: { mode: 'Disabled' } });
  await eventually(async () => {
    assert.equal(await client.get(podDisruptionBudgetType, { namespace, name: 'optional' }), undefined);
    assert.equal(await client.get(networkPolicyType, { namespace, name: 'optional' }), undefined);
  });
  await registries.change('optional', { podDisruptionBudget: 'Auto', networkPolicy: { mode: 'Enabled' } });
  await registries.appears(podDisruptionBudgetType, 'optional');
  await registries.appears(networkPolicyType, 'optional');
});

test("somebody else's object of the same name is never touched", async () => {
  const foreign = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'taken', namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  const { metadata } = await client.create(claimType, foreign);
  await registries.create('taken', { storage: claim });
  const { message } = await registries.condition('taken', 'StorageReady', 'False', 'NameTaken');
  assert.match(message, /PersistentVolumeClaim taken in namespace default is not this Registry's/);
  await registries.condition('taken', 'Degraded', 'True', 'NameTaken');
  assert.equal((await registries.appears(claimType, 'taken')).metadata.resourceVersion, metadata.resourceVersion);
  assert.equal(await client.get(deploymentType, { namespace, name: 'taken' }), undefined);
  await client.patch(claimType, { namespace, name: 'taken' }, { metadata: { finalizers: null } });
  await client.remove(claimType, { namespace, name: 'taken' });
  await registries.appears(deploymentType, 'taken');
});

test('a retained claim is used again, as it is; it grows and never shrinks', async () => {
  await registries.create('again', { storage: { persistentVolumeClaim: { size: '2Gi' } } });
  const before = await registries.appears<Claim>(claimType, 'again');
  await registries.remove('again');
  await registries.create('again', { storage: claim });
  await eventually(async () => {
    const { metadata, spec } = await registries.appears<Claim>(claimType, 'again');
    assert.equal(metadata.uid, before.metadata.uid);
    assert.equal(metadata.labels?.['registry-operator.dev/registry-uid'], (await registries.get('again')).metadata.uid);
    assert.equal(spec.resources?.requests?.['storage'], '2Gi');
  });
});

test('the deletion policy decides who owns the claim, also when it changes', async () => {
  await registries.create('policy', { storage: { ...claim, deletionPolicy: 'Delete' } });
  const owners = async (): Promise<number> =>
    (await registries.appears(claimType, 'policy')).metadata.ownerReferences?.length ?? 0;
  await eventually(async () => assert.equal(await owners(), 1));
  await registries.change('policy', { storage: { deletionPolicy: 'Retain' } });
  await eventually(async () => assert.equal(await owners(), 0));
});
