/** The chart on a real cluster: its own test, an upgrade, and its removal. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { namespace, release } from '#scripts/lib/install.ts';
import { root } from '#scripts/lib/paths.ts';
import type { TestCluster } from '#test/support/cluster.ts';
import { eventually } from '#test/support/eventually.ts';
import { certificateFolders, getRegistry, untilReady } from './registries.ts';

const main = { namespace: 'default', name: 'kind-registry' };
const operator = `deployment/${release}`;

export function chartInUse(cluster: () => TestCluster): void {
  it('helm test passes', async () => {
    await cluster().helm(['test', release, '--namespace', namespace, '--timeout', '90s']);
  });

  it('helm upgrade replaces the operator and leaves the registry running', async () => {
    const pods = () => cluster().kubectl(['get', 'pods', '-l', 'app.kubernetes.io/name=registry', '-o', 'name']);
    const before = await pods();
    const upgrade = [
      'upgrade',
      release,
      `${root}/charts/registry-operator`,
      '--namespace',
      namespace,
      '--reuse-values',
    ];
    await cluster().helm([
      ...upgrade,
      '--set',
      'logLevel=debug',
      '--set',
      'replicaCount=2',
      '--wait',
      '--timeout',
      '2m',
    ]);
    await untilReady(cluster(), main);
    assert.equal(await pods(), before);
    assert.equal(
      await cluster().kubectl(['get', operator, '-n', namespace, '-o', 'jsonpath={.status.readyReplicas}']),
      '2',
    );
  });

  it('the other operator takes over when the leader goes', async () => {
    // `<name of the Pod>_<something unique>`, as client-go has it.
    const holder = () =>
      cluster().kubectl(['get', 'lease', release, '-n', namespace, '-o', 'jsonpath={.spec.holderIdentity}']);
    // Not one of those that the upgrade has replaced, which may be on its way out, its Lease given back or not.
    const pods = ['get', 'pods', '-n', namespace, '-l', 'app.kubernetes.io/component=operator', '-o', 'name'];
    const leader = await eventually(
      async () => {
        const [found, all] = [await holder(), (await cluster().kubectl(pods)).split('\n')];
        assert.equal(all.length, 2, all.join());
        assert.ok(all.includes(`pod/${found.split('_')[0]}`), `${found} leads, of ${all.join()}`);
        return found;
      },
      { timeoutMs: 60_000 },
    );
    await cluster().kubectl(['delete', 'pod', leader.split('_')[0] ?? '', '-n', namespace, '--wait=false']);
    await eventually(
      async () => {
        const next = await holder();
        assert.ok(next !== '' && next !== leader, next);
      },
      { timeoutMs: 30_000 },
    );
    await cluster().kubectl(['delete', 'deployment', main.name]);
    await untilReady(cluster(), main);
  });
}

/** `pristine`: the nodes before there was any Registry. */
export function chartRemoved(cluster: () => TestCluster, pristine: () => Record<string, string>): void {
  it('helm uninstall leaves the nodes byte for byte as they were, and Registries that can be deleted', async () => {
    assert.notDeepEqual(await certificateFolders(cluster()), pristine());
    await cluster().helm(['uninstall', release, '--namespace', namespace, '--wait', '--timeout', '4m']);
    assert.deepEqual(await certificateFolders(cluster()), pristine());
    const left = await getRegistry(cluster(), main.namespace, main.name);
    assert.deepEqual(left.metadata.finalizers ?? [], []);
    await cluster().kubectl(['delete', 'registry', main.name, '-n', main.namespace, '--timeout', '30s']);
    const claim = await cluster().kubectl([
      'get',
      'pvc',
      main.name,
      '-n',
      main.namespace,
      '-o',
      'jsonpath={.status.phase}',
    ]);
    assert.equal(claim, 'Bound', 'the images are kept');
  });
}
