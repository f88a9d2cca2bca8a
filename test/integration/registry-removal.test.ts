/** Deleting a Registry: nodes first and confirmed, never stuck, also when the operator restarts in between. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { nodeMirrorType } from '#operator/api/node-mirror.ts';
import { registryType } from '#operator/api/registry.ts';
import { claimType, type ConfigMap, configMapType } from '#operator/children/kinds.ts';
import type { KubeObject } from '#shared/kube/kube-client.ts';
import { mirrorsKey, mirrorsRevision, type NodeMirrors } from '#shared/node-mirrors.ts';
import { eventually } from '#test/support/eventually.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import { installOperatorRights, operatorNamespace, startOperator } from '#test/support/operator.ts';
import { registriesOn } from '#test/support/registries.ts';
import { installCrds } from '#test/support/registry-crds.ts';

const apiserver = await startKubeApiserver({ after });
await installCrds(apiserver);
await installOperatorRights(apiserver);
/** Its deadline is a minute: here nothing may go because of it. */
let operator = await startOperator(apiserver);
after(() => operator.stop());
const client = await apiserver.client();
const registries = registriesOn(client);
const namespace = 'default';
const emptyDir = { emptyDir: {}, deletionPolicy: 'Delete' };
const hostingName = { namespace: 'kube-public', name: 'local-registry-hosting' };

async function published(): Promise<{ text: string; hosts: string[] }> {
  const name = { namespace: operatorNamespace, name: 'registry-operator-mirrors' };
  const text = (await client.get<ConfigMap>(configMapType, name))?.data?.[mirrorsKey] ?? '';
  return { text, hosts: text === '' ? [] : (JSON.parse(text) as NodeMirrors).mirrors.map(({ host }) => host) };
}

/** As the mirror agent of this node reports that it has done what is published. */
async function confirm(node: string): Promise<void> {
  const { text } = await published();
  const { mirrors } = JSON.parse(text) as NodeMirrors;
  const hosts = mirrors.map(({ host, registry }) => ({ host, registry, state: 'Configured' }));
  const object = { apiVersion: nodeMirrorType.apiVersion, kind: 'NodeMirror', metadata: { name: node } };
  await client.apply(nodeMirrorType, object);
  const status = { revision: mirrorsRevision(text), hosts };
  await client.apply(nodeMirrorType, { ...object, status } as KubeObject, { subresource: 'status' });
}

async function isGone(name: string): Promise<void> {
  assert.equal(await client.get(registryType, { namespace, name }), undefined, `${name} is still there`);
}

async function eventsAbout(name: string): Promise<{ reason: string; note: string }[]> {
  const list = JSON.parse(await apiserver.kubectl(['get', 'events.events.k8s.io', '-o', 'json'])) as {
    items: { reason: string; note: string; regarding: { name: string } }[];
  };
  return list.items.filter(({ regarding }) => regarding.name === name);
}

test('the nodes confirm before the Registry goes', async () => {
  await registries.create('confirmed', { storage: emptyDir, hosts: ['confirmed:5000'] });
  await eventually(async () => assert.deepEqual((await published()).hosts, ['confirmed:5000']));
  await confirm('worker-1');
  await confirm('worker-2');
  await client.remove(registryType, { namespace, name: 'confirmed' });
  await eventually(async () => assert.deepEqual((await published()).hosts, []));
  const { message } = await registries.condition('confirmed', 'Ready', 'False', 'Deleting');
  assert.match(message, /node worker-1, node worker-2/);
  await confirm('worker-1');
  await eventually(async () => {
    const { status } = await registries.get('confirmed');
    assert.match(status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /by node worker-2;/);
  });
  await confirm('worker-2');
  await eventually(() => isGone('confirmed'));
});

test('a restart of the operator in between changes nothing', async () => {
  await registries.create('restarted', { storage: emptyDir, hosts: ['restarted:5000'] });
  await eventually(async () => assert.deepEqual((await published()).hosts, ['restarted:5000']));
  for (const node of ['worker-1', 'worker-2']) await confirm(node);
  await operator.stop();
  await client.remove(registryType, { namespace, name: 'restarted' });
  operator = await startOperator(apiserver);
  await eventually(async () => assert.deepEqual((await published()).hosts, []));
  for (const node of ['worker-1', 'worker-2']) await confirm(node);
  await eventually(() => isGone('restarted'), { timeoutMs: 20_000 });
});

test('a node that is gone for good is not waited for: its report went with it', async () => {
  await registries.create('lost', { storage: emptyDir, hosts: ['lost:5000'] });
  await eventually(async () => assert.deepEqual((await published()).hosts, ['lost:5000']));
  for (const node of ['worker-1', 'worker-2']) await confirm(node);
  await client.remove(registryType, { namespace, name: 'lost' });
  await registries.condition('lost', 'Ready', 'False', 'Deleting');
  for (const name of ['worker-1', 'worker-2']) await client.remove(nodeMirrorType, { namespace: '', name });
  await eventually(() => isGone('lost'));
});

test('a node that never answers holds nothing up beyond the deadline, and is told of', async (t) => {
  await registries.create('late', { storage: emptyDir, hosts: ['late:5000'] });
  await eventually(async () => assert.deepEqual((await published()).hosts, ['late:5000']));
  await confirm('worker-3');
  await operator.stop();
  operator = await startOperator(apiserver, { env: { REMOVAL_DEADLINE: '10s' } });
  t.after(async () => {
    await operator.stop();
    operator = await startOperator(apiserver);
  });
  const started = performance.now();
  await client.remove(registryType, { namespace, name: 'late' });
  await registries.condition('late', 'Ready', 'False', 'Deleting');
  await eventually(() => isGone('late'), { timeoutMs: 30_000 });
  // Times of the API server are whole seconds.
  assert.ok(performance.now() - started > 8500);
  const event = await eventually(async () => {
    const found = (await eventsAbout('late')).find(({ reason }) => reason === 'NodesNotCleaned');
    assert.ok(found);
    return found;
  });
  assert.match(event.note, /node worker-3 did not confirm.*certs.d\/late:5000/);
  await client.remove(nodeMirrorType, { namespace: '', name: 'worker-3' });
});

suite('local-registry-hosting', () => {
  const localRegistryHosting = { host: 'localhost:5001', help: 'https://example.com/help' };
  const content = async (): Promise<string | undefined> =>
    (await client.get<ConfigMap>(configMapType, hostingName))?.data?.['localRegistryHosting.v1'];

  test('is published, put right, and goes with the Registry', async () => {
    await registries.create('hosted', { storage: emptyDir, hosts: ['hosted:5000'], localRegistryHosting });
    await registries.condition('hosted', 'LocalRegistryHosting', 'True', 'Published');
    const text =
      'host: localhost:5001\nhostFromContainerRuntime: hosted:5000\n' +
      'hostFromClusterNetwork: hosted.default.svc:5000\nhelp: https://example.com/help\n';
    assert.equal(await content(), text);
    await client.patch(configMapType, hostingName, { data: { 'localRegistryHosting.v1': 'host: x' } });
    await eventually(async () => assert.equal(await content(), text));
    await client.remove(configMapType, hostingName);
    await eventually(async () => assert.equal(await content(), text));
    await registries.remove('hosted');
    assert.equal(await content(), undefined);
  });

  test('of two Registries the first one has it, then the other', async () => {
    await registries.create('first', { storage: emptyDir, localRegistryHosting });
    await registries.condition('first', 'LocalRegistryHosting', 'True');
    await registries.create('second', { storage: emptyDir, localRegistryHosting });
    const { message } = await registries.condition('second', 'LocalRegistryHosting', 'False', 'Conflict');
    assert.match(message, /belongs to the Registry default\/first/);
    await registries.remove('first');
    await registries.condition('second', 'LocalRegistryHosting', 'True');
    await registries.change('second', { localRegistryHosting: null });
    await eventually(async () => assert.equal(await content(), undefined));
    await registries.remove('second');
  });

  test("somebody else's is left alone, also at the end", async () => {
    const data = { 'localRegistryHosting.v1': 'host: "localhost:5000"\n' };
    await client.create(configMapType, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: hostingName,
      data,
    } as KubeObject);
    await registries.create('guest', { storage: emptyDir, localRegistryHosting });
    await registries.condition('guest', 'LocalRegistryHosting', 'False', 'Conflict');
    await registries.remove('guest');
    assert.equal(await content(), data['localRegistryHosting.v1']);
    await client.remove(configMapType, hostingName);
  });
});

suite('the claim', () => {
  const storage = { persistentVolumeClaim: { size: '1Gi' } };

  test('is kept by default, with a word about it', async () => {
    await registries.create('kept', { storage });
    await registries.appears(claimType, 'kept');
    await registries.remove('kept');
    assert.equal((await registries.appears(claimType, 'kept')).metadata.ownerReferences, undefined);
    await eventually(async () => {
      const note = (await eventsAbout('kept')).find(({ reason }) => reason === 'ClaimRetained')?.note ?? '';
      assert.match(note, /kubectl delete pvc -n default kept/);
    });
  });

  test('goes by the policy of the last moment', async () => {
    await registries.create('dropped', { storage });
    const { uid } = (await registries.get('dropped')).metadata;
    await registries.appears(claimType, 'dropped');
    await operator.stop();
    await registries.change('dropped', { storage: { deletionPolicy: 'Delete' } });
    await client.remove(registryType, { namespace, name: 'dropped' });
    operator = await startOperator(apiserver);
    await eventually(() => isGone('dropped'), { timeoutMs: 20_000 });
    // The garbage collector, which does not run here, removes what has no owner left.
    assert.deepEqual(
      (await registries.appears(claimType, 'dropped')).metadata.ownerReferences?.map((owner) => owner.uid),
      [uid],
    );
  });
});
