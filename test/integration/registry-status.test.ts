/** What goes wrong becomes a condition with a reason and a remedy, and heals by itself. Controllers and kubelets are played. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { nodeMirrorType } from '#operator/api/node-mirror.ts';
import {
  type Claim,
  claimType,
  type ConfigMap,
  configMapType,
  deploymentType,
  serviceType,
} from '#operator/children/kinds.ts';
import { podType } from '#operator/reconcile/pod.ts';
import { directAccess, type UsageAccess } from '#operator/reconcile/usage-access.ts';
import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { mirrorsKey, mirrorsRevision, type NodeMirrors } from '#shared/node-mirrors.ts';
import { eventually } from '#test/support/eventually.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import { installOperatorRights, operatorNamespace, startOperator } from '#test/support/operator.ts';
import { startRegistry } from '#test/support/registry.ts';
import { registriesOn } from '#test/support/registries.ts';
import { installCrds } from '#test/support/registry-crds.ts';

const apiserver = await startKubeApiserver({ after });
await installCrds(apiserver);
await installOperatorRights(apiserver);
const server = await startRegistry({ after });
// No kubelet runs here: a real registry beside the cluster stands in for every Pod.
const access: UsageAccess = {
  addressOf: () => `${server.debugUrl}/debug/usage?watch=true`,
  open: directAccess.open,
};
const operator = await startOperator(apiserver, { access });
after(() => operator.stop());
const client = await apiserver.client();
const registries = registriesOn(client);
const namespace = 'default';
const claim = { persistentVolumeClaim: { size: '1Gi' } };
const emptyDir = { emptyDir: {}, deletionPolicy: 'Delete' };

const storageClasses: ResourceType = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  namespaced: false,
};

async function bind(name: string): Promise<void> {
  await registries.appears(claimType, name);
  const status = { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] };
  await client.patch(claimType, { namespace, name }, { status }, { subresource: 'status' });
}

/** As the kubelet reports a Pod of this Registry whose container is in this state. */
async function reportPod(registry: string, container: object, conditions: object[] = []): Promise<void> {
  const name = `${registry}-pod`;
  const { metadata } = await registries.appears<KubeObject>(deploymentType, registry);
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: metadata.labels ?? {} },
    spec: { containers: [{ name: 'registry', image: 'registry-operator:test' }] },
  };
  if (!(await client.get(podType, { namespace, name }))) await client.create(podType, pod);
  const status = {
    phase: 'Pending',
    conditions,
    containerStatuses: [
      { name: 'registry', image: 'registry-operator:test', imageID: '', ready: false, restartCount: 0, ...container },
    ],
  };
  await client.patch(podType, { namespace, name }, { status }, { subresource: 'status' });
}

test('a Registry becomes ready: Available, stored, reachable, with its endpoint', async () => {
  await registries.create('ready', { storage: claim });
  const waiting = await registries.condition('ready', 'Ready', 'False');
  assert.equal(waiting.observedGeneration, 1);
  await registries.condition('ready', 'Reconciling', 'True');
  await registries.reportPods('ready', 1);
  await bind('ready');
  await registries.condition('ready', 'StorageReady', 'True', 'Bound');
  await registries.condition('ready', 'Ready', 'True');
  await registries.condition('ready', 'Reconciling', 'False');
  await eventually(async () => {
    const { status } = await registries.get('ready');
    assert.equal(status?.endpoint, 'http://ready.default.svc:5000');
    assert.match(status?.nodeEndpoint ?? '', /^http:\/\/10\.0\.0\.\d+:5000$/);
    assert.equal(status?.image, 'registry-operator:test');
    assert.equal(status?.claim, 'ready');
    assert.equal(status?.readyReplicas, 1);
    assert.match(status?.selector ?? '', /registry-operator.dev\/registry=ready/);
  });
});

test('the counts of the registry are in status within two seconds of a push', async () => {
  await registries.create('pushed', { storage: emptyDir });
  await registries.reportPods('pushed', 1);
  await registries.condition('pushed', 'CatalogSynced', 'True');
  assert.equal((await registries.get('pushed')).status?.catalog?.tags, 0);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
  });
  const pushed = await fetch(`${server.url}/v2/team/app/manifests/v1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
    body: manifest,
  });
  assert.equal(pushed.status, 201);
  const since = performance.now();
  await eventually(async () => {
    const { status } = await registries.get('pushed');
    assert.equal(status?.catalog?.repositories, 1);
    assert.equal(status.catalog.tags, 1);
    assert.equal(status.catalog.manifests, 1);
    assert.equal(status.catalog.bytes, manifest.length);
    assert.equal(status.storage?.used, String(manifest.length));
  });
  assert.ok(performance.now() - since < 2000);
  await registries.condition('pushed', 'StorageHealthy', 'True');
  const line = await apiserver.kubectl(['get', 'reg', 'pushed', '--no-headers']);
  assert.match(line, /^pushed +True +http:\/\/pushed\.default\.svc:5000 +1 +1 +\d+ /);
});

test('a volume with less room than minFree is told, and told to be well again', async () => {
  await registries.change('pushed', { storage: { minFree: 99 } });
  const { message } = await registries.condition('pushed', 'StorageHealthy', 'False', 'LowSpace');
  assert.match(message, /Less than 99 % of the volume are left: .* Delete images and run registry garbage-collect/);
  await registries.condition('pushed', 'Degraded', 'True', 'LowSpace');
  await registries.change('pushed', { storage: { minFree: 0 } });
  await registries.condition('pushed', 'StorageHealthy', 'True');
  await registries.condition('pushed', 'Degraded', 'False');
});

test('a registry that does not answer: the counts stay and are called old', async () => {
  await server.kill('SIGKILL');
  await registries.condition('pushed', 'CatalogSynced', 'False', 'CatalogUnavailable');
  assert.equal((await registries.get('pushed')).status?.catalog?.tags, 1);
  await server.start();
  await registries.condition('pushed', 'CatalogSynced', 'True');
});

test('a node port that another Service has', async () => {
  const other = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'other', namespace },
    spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30_777 }] },
  };
  await client.create(serviceType, other);
  await registries.create('port', { storage: emptyDir, service: { type: 'NodePort', nodePort: 30_777 } });
  const { message } = await registries.condition('port', 'ServiceReady', 'False', 'NodePortTaken');
  assert.match(message, /node port 30777 belongs to Service default\/other.*set spec.service.nodePort to another one/);
  await registries.condition('port', 'Degraded', 'True', 'NodePortTaken');
  await client.remove(serviceType, { namespace, name: 'other' });
  await registries.condition('port', 'ServiceReady', 'True');
  await registries.condition('port', 'Degraded', 'False');
});

suite('storage', () => {
  test('no default StorageClass', async () => {
    await registries.create('classless', { storage: claim });
    const { message } = await registries.condition('classless', 'StorageReady', 'False', 'NoDefaultStorageClass');
    assert.match(message, /set spec.storage.persistentVolumeClaim.storageClassName/);
    await bind('classless');
    await registries.condition('classless', 'StorageReady', 'True');
  });

  test('a StorageClass that does not exist, until it does', async () => {
    const persistentVolumeClaim = { size: '1Gi', storageClassName: 'fast' };
    await registries.create('fast', { storage: { persistentVolumeClaim } });
    const { message } = await registries.condition('fast', 'StorageReady', 'False', 'StorageClassNotFound');
    assert.match(message, /There is no StorageClass fast .*: create it/);
    await client.create(storageClasses, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'fast' },
      provisioner: 'example.com/fast',
      volumeBindingMode: 'WaitForFirstConsumer',
    } as KubeObject);
    await registries.condition('fast', 'StorageReady', 'False', 'WaitingForFirstConsumer');
    await registries.condition('fast', 'Degraded', 'False');
  });

  test('an existing claim that does not exist, until it does', async () => {
    await registries.create('existing', { storage: { existingClaim: 'old-data' } });
    const { message } = await registries.condition('existing', 'StorageReady', 'False', 'ClaimNotFound');
    assert.match(message, /no PersistentVolumeClaim old-data in namespace default: create it/);
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await client.create<Claim>(claimType, {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'old-data', namespace },
      spec,
    } as KubeObject);
    await bind('old-data');
    await registries.condition('existing', 'StorageReady', 'True');
  });

  test('a claim that the class does not let grow', async () => {
    await registries.change('ready', { storage: { persistentVolumeClaim: { size: '5Gi' } } });
    const { message } = await registries.condition('ready', 'StorageReady', 'False', 'ClaimChangeRefused');
    assert.match(message, /only dynamically provisioned pvc can be resized/);
    // It serves all the same.
    await registries.condition('ready', 'Ready', 'True');
  });
});

suite('Pods', () => {
  test('an image that cannot be pulled, until it can', async () => {
    await registries.create('unpulled', { storage: emptyDir });
    await reportPod('unpulled', {
      state: { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x": not found' } },
    });
    const { message } = await registries.condition('unpulled', 'Available', 'False', 'ImagePullFailed');
    assert.match(
      message,
      /cannot pull the image registry-operator:test: .*not found\. Check spec.image and spec.imageP/,
    );
    await registries.condition('unpulled', 'Ready', 'False', 'ImagePullFailed');
    await registries.reportPods('unpulled', 1);
    await registries.condition('unpulled', 'Available', 'True');
    await registries.condition('unpulled', 'Degraded', 'False');
  });

  test('a registry that crashes', async () => {
    await registries.create('crashing', { storage: emptyDir });
    await reportPod('crashing', {
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 2, reason: 'Error', message: 'bad config' } },
    });
    const { message } = await registries.condition('crashing', 'Available', 'False', 'CrashLooping');
    assert.match(
      message,
      /ended with code 2, 3 times. bad config. Read kubectl logs -n default crashing-pod --previous/,
    );
  });

  test('no node that takes the Pod', async () => {
    await registries.create('homeless', { storage: emptyDir });
    await reportPod('homeless', {}, [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' },
    ]);
    const { message } = await registries.condition('homeless', 'Available', 'False', 'Unschedulable');
    assert.match(message, /0\/3 nodes are available\. Look at spec.pod/);
  });

  test('what the API server refuses is said in its words', async () => {
    const affinity = {
      podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'not a key' }] },
    };
    await registries.create('refused', { storage: emptyDir, pod: { affinity } });
    const { message } = await registries.condition('refused', 'Available', 'False', 'DeploymentRefused');
    assert.match(message, /topologyKey/);
  });

  test('stopped by its owner is no failure', async () => {
    await registries.create('stopped', { storage: emptyDir, replicas: 0 });
    await registries.condition('stopped', 'Ready', 'False', 'ScaledToZero');
    await registries.condition('stopped', 'Degraded', 'False');
  });
});

suite('nodes', () => {
  const nodeNames = ['worker-1', 'worker-2'];

  async function publication(): Promise<string> {
    const name = { namespace: operatorNamespace, name: 'registry-operator-mirrors' };
    return (await client.get<ConfigMap>(configMapType, name))?.data?.[mirrorsKey] ?? '';
  }

  /** As a mirror agent reports that it has done what is published. */
  async function report(node: string, state: string, message?: string): Promise<void> {
    const text = await publication();
    const { mirrors } = JSON.parse(text) as NodeMirrors;
    const hosts = mirrors.map(({ host, registry, endpoints }) => ({
      host,
      registry,
      endpoint: endpoints[0],
      state,
      ...(message && { message }),
    }));
    const object = { apiVersion: nodeMirrorType.apiVersion, kind: 'NodeMirror', metadata: { name: node } };
    await client.apply(nodeMirrorType, object);
    const status = { revision: mirrorsRevision(text), hosts };
    await client.apply(nodeMirrorType, { ...object, status } as KubeObject, { subresource: 'status' });
  }

  test('a foreign file, an address that does not answer, and all well again', async () => {
    await registries.create('noded', { storage: emptyDir, hosts: ['noded:5000'] });
    await registries.reportPods('noded', 1);
    await registries.condition('noded', 'NodesConfigured', 'False', 'AgentMissing');
    await eventually(async () => assert.match(await publication(), /noded:5000/));
    for (const node of nodeNames) await report(node, 'Configured');
    await registries.condition('noded', 'Ready', 'True');
    await eventually(async () => assert.equal((await registries.get('noded')).status?.nodes?.summary, '2/2'));
    await report('worker-2', 'Conflict', 'hosts.toml is not ours');
    await registries.condition('noded', 'NodesConfigured', 'False', 'ForeignFile');
    await registries.condition('noded', 'Ready', 'False', 'ForeignFile');
    await eventually(async () => assert.equal((await registries.get('noded')).status?.nodes?.summary, '1/2'));
    await report('worker-2', 'Unreachable', 'connect ETIMEDOUT');
    await registries.condition('noded', 'NodesReachable', 'False', 'ProbeFailed');
    await registries.condition('noded', 'Degraded', 'True', 'ProbeFailed');
    await report('worker-2', 'Configured');
    await registries.condition('noded', 'Ready', 'True');
    await registries.condition('noded', 'Degraded', 'False');
  });

  test('a host that an older Registry has', async () => {
    await registries.create('younger', { storage: emptyDir, hosts: ['noded:5000'] });
    const { message } = await registries.condition('younger', 'NodesConfigured', 'False', 'HostConflict');
    assert.match(message, /noded:5000 belongs to the older Registry noded/);
  });
});

test('Events tell of what went wrong and of what went well, once each', async () => {
  const events = JSON.parse(await apiserver.kubectl(['get', 'events.events.k8s.io', '-o', 'json'])) as {
    items: { reason: string; type: string; regarding: { name: string } }[];
  };
  const about = (registry: string): string[] =>
    events.items.filter(({ regarding }) => regarding.name === registry).map(({ type, reason }) => `${type} ${reason}`);
  assert.deepEqual(
    about('port').filter((event) => event.includes('NodePort')),
    ['Warning NodePortTaken'],
  );
  assert.ok(about('ready').includes('Normal Ready'));
  assert.ok(about('ready').includes('Normal Created'));
  assert.ok(about('noded').includes('Warning ForeignFile'));
});
