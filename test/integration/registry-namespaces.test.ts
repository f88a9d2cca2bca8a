/** An operator that looks after a few namespaces, with rights in these only. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { apiVersion } from '#operator/api/names.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import { type ConfigMap, configMapType, deploymentType, serviceType } from '#operator/children/kinds.ts';
import type { KubeObject } from '#shared/kube/kube-client.ts';
import { eventually } from '#test/support/eventually.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import { installOperatorRights, startOperator } from '#test/support/operator.ts';
import { installCrds } from '#test/support/registry-crds.ts';

const apiserver = await startKubeApiserver({ after });
await installCrds(apiserver);
await installOperatorRights(apiserver, ['team-a', 'team-b']);
const operator = await startOperator(apiserver, { env: { WATCH_NAMESPACES: 'team-a,team-b' } });
after(() => operator.stop());
const client = await apiserver.client();

const create = (namespace: string, spec: object = {}): Promise<Registry> =>
  client.create<Registry>(registryType, {
    apiVersion,
    kind: 'Registry',
    metadata: { name: 'r', namespace },
    spec: { storage: { emptyDir: {}, deletionPolicy: 'Delete' }, ...spec },
  } as KubeObject);

async function condition(namespace: string, type: string): Promise<string> {
  const { status } = (await client.get<Registry>(registryType, { namespace, name: 'r' })) ?? {};
  const { status: value, reason, message } = status?.conditions?.find((candidate) => candidate.type === type) ?? {};
  return `${value} ${reason} ${message}`;
}

test('Registries of these namespaces are looked after, others are left alone', async () => {
  await create('default');
  await create('team-a', { localRegistryHosting: { host: 'localhost:5001' } });
  await create('team-b', { hosts: ['team-b:5000'] });
  for (const namespace of ['team-a', 'team-b']) {
    await eventually(async () => assert.ok(await client.get(deploymentType, { namespace, name: 'r' })));
  }
  const left = await client.get<Registry>(registryType, { namespace: 'default', name: 'r' });
  assert.deepEqual([left?.status, left?.metadata.finalizers], [undefined, undefined]);
});

test('tools are told, though kube-public is not watched', async () => {
  await eventually(async () => assert.match(await condition('team-a', 'LocalRegistryHosting'), /^True Published/));
  const name = { namespace: 'kube-public', name: 'local-registry-hosting' };
  assert.match(
    (await client.get<ConfigMap>(configMapType, name))?.data?.['localRegistryHosting.v1'] ?? '',
    /r\.team-a/,
  );
});

test('a node port is taken by a Service that the operator may not see', async () => {
  await client.create(serviceType, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hidden', namespace: 'default' },
    spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30_700 }] },
  } as KubeObject);
  const service = { type: 'NodePort', nodePort: 30_700 };
  await client.patch(registryType, { namespace: 'team-b', name: 'r' }, { spec: { service } });
  await eventually(async () =>
    assert.match(await condition('team-b', 'ServiceReady'), /^False NodePortTaken Node port 30700 cannot be had/),
  );
});

test('the conditions are metrics, for alerts', async () => {
  const condition = { namespace: 'team-b', registry: 'r', type: 'ServiceReady' };
  const published = { namespace: 'team-a', registry: 'r', type: 'LocalRegistryHosting' };
  // They are read from the operator's cache, which hears of a status a moment after we do.
  await eventually(async () => {
    assert.equal(await operator.metric('registry_operator_registry_condition', condition), 0);
    assert.equal(await operator.metric('registry_operator_registry_condition', published), 1);
  });
});

test('a Registry goes, and with it what tools were told', async () => {
  await client.remove(registryType, { namespace: 'team-a', name: 'r' });
  await eventually(async () => {
    assert.equal(await client.get(registryType, { namespace: 'team-a', name: 'r' }), undefined);
    const name = { namespace: 'kube-public', name: 'local-registry-hosting' };
    assert.equal(await client.get(configMapType, name), undefined);
  });
});
