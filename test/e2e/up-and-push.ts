/** The main job, as `npm run up` does it, and what a user does next. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type TestCluster, runScript } from '#test/support/cluster.ts';
import { image } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { getRegistry, inNamespace, throwaway, untilCondition, untilReady } from './registries.ts';

const main = { namespace: 'default', name: 'kind-registry' };

/** The columns of the one line of `kubectl get reg`. */
export function columns(table: string): Record<string, string> {
  const [heads = '', values = ''] = table.trim().split('\n').slice(-2);
  const cells = values.split(/\s{2,}|\t/);
  return Object.fromEntries(heads.split(/\s{2,}|\t/).map((head, index) => [head, cells[index] ?? '']));
}

export function upAndPush(cluster: () => TestCluster): void {
  it('npm run up goes on to a registry that Pods on two nodes pulled from by both of its names', async (t) => {
    const { port, nodes } = cluster();
    const { stdout, seconds } = await runScript('up', ['--port', String(port)]);
    t.diagnostic(`${seconds.toFixed(1)} s`);
    const row = columns(stdout);
    assert.equal(row['NAME'], main.name);
    assert.equal(row['READY'], 'True');
    assert.match(row['ENDPOINT'] ?? '', /^http:\/\/kind-registry\.default\.svc:5000/);
    const client = registryClient(`http://localhost:${port}`);
    const repositories = await client.repositories();
    const tags = (await Promise.all(repositories.map((name) => client.tags(name)))).flat();
    assert.ok(repositories.includes('demo'));
    assert.deepEqual([row['REPOS'], row['TAGS'], row['NODES']], [`${repositories.length}`, `${tags.length}`, '3/3']);
    const said = stdout.split('\n').filter((line) => line.includes(' runs on '));
    const hosts = new Set(said.map((line) => line.split('/demo')[0]));
    assert.deepEqual(hosts, new Set(['kind-registry:5000', `localhost:${port}`]));
    const where = new Set(said.map((line) => line.split(' runs on ')[1]));
    assert.equal(where.size, 2, said.join('\n'));
    for (const node of where) assert.ok(nodes.includes(node ?? ''));
  });

  it('npm run up again changes nothing and takes less than two minutes', async (t) => {
    const uid = (await getRegistry(cluster(), main.namespace, main.name)).metadata.uid;
    const { seconds } = await runScript('up', ['--port', String(cluster().port)]);
    t.diagnostic(`${seconds.toFixed(1)} s`);
    assert.ok(seconds < 120, `${seconds} s`);
    assert.equal((await getRegistry(cluster(), main.namespace, main.name)).metadata.uid, uid);
  });

  it('a push is counted in status within two seconds', async (t) => {
    const client = registryClient(`http://localhost:${cluster().port}`);
    const repository = `counted-${Date.now()}`;
    const before = (await getRegistry(cluster(), main.namespace, main.name)).status?.catalog;
    assert.ok(before);
    await client.pushImage(repository, image(repository), 'one');
    const pushed = performance.now();
    await eventually(async () => {
      const { status } = await getRegistry(cluster(), main.namespace, main.name);
      assert.equal(status?.catalog?.tags, before.tags + 1);
      assert.equal(status?.catalog?.repositories, before.repositories + 1);
    });
    const seconds = (performance.now() - pushed) / 1000;
    t.diagnostic(`${seconds.toFixed(2)} s, the question included`);
    assert.ok(seconds < 2, `${seconds} s`);
    const { digest } = (await client.manifest(repository, 'one')) ?? {};
    await client.deleteManifest(repository, digest ?? '');
  });

  it('a Registry is ready soon after it was applied, in a namespace that enforces the restricted level', async (t) => {
    const registry = { namespace: 'e2e-restricted', name: 'quick' };
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await inNamespace(
      cluster(),
      registry.namespace,
      async () => {
        const started = performance.now();
        await cluster().apply(throwaway(registry.namespace, registry.name));
        await untilReady(cluster(), registry);
        const seconds = (performance.now() - started) / 1000;
        t.diagnostic(`${seconds.toFixed(1)} s from apply to Ready`);
        assert.ok(seconds < 15, `${seconds} s`);
      },
      labels,
    );
  });

  it('the ConfigMap that Tilt and Skaffold read names the registry', async () => {
    const map = await cluster().get<{ data: Record<string, string> }>(
      'configmap',
      'local-registry-hosting',
      'kube-public',
    );
    assert.match(map?.data['localRegistryHosting.v1'] ?? '', new RegExp(`host: ["']?localhost:${cluster().port}`));
    await untilCondition(cluster(), main, { type: 'LocalRegistryHosting', status: 'True' });
  });

  it('a resource that breaks a rule is refused with what to change', async () => {
    const bad = throwaway('default', 'bad', { hosts: ['http://kind-registry:5000/x'] });
    await assert.rejects(cluster().apply(bad), /leave out the scheme/);
  });
}
