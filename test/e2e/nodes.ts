/** What the mirror agents do on real nodes with a real containerd. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { namespace } from '#scripts/lib/install.ts';
import type { TestCluster } from '#test/support/cluster.ts';
import { eventually } from '#test/support/eventually.ts';
import { certificateFolders, getRegistry, inNamespace, throwaway, untilCondition, untilReady } from './registries.ts';

const main = { namespace: 'default', name: 'kind-registry' };
const certs = '/etc/containerd/certs.d';
const file = `${certs}/kind-registry:5000/hosts.toml`;
const agents = 'daemonset/registry-operator-mirror-agent';
const agentOf = (node: string) =>
  ['get', 'pods', '-n', namespace, '-l', 'app.kubernetes.io/component=mirror-agent', '-o', 'name'].concat(
    '--field-selector',
    `spec.nodeName=${node}`,
  );
const soon = { timeoutMs: 30_000, intervalMs: 250 };

export function nodes(cluster: () => TestCluster): void {
  const worker = () => cluster().nodes.find((node) => node.endsWith('worker')) ?? '';
  const read = (node: string, path = file) => cluster().onNode(node, `cat '${path}'`);

  describe('hosts.toml', () => {
    it('is on every node, for every name', async () => {
      for (const host of ['kind-registry:5000', `localhost:${cluster().port}`]) {
        for (const node of cluster().nodes)
          assert.match(await read(node, `${certs}/${host}/hosts.toml`), /http:\/\/.+:5000/);
      }
    });

    it('is mended when it was edited, and made again when it was removed', async (t) => {
      const before = await read(worker());
      for (const damage of [
        `echo 'server = "x"' >> '${file}'`,
        `rm '${file}'`,
        `rm -r '${certs}/kind-registry:5000'`,
      ]) {
        await cluster().onNode(worker(), damage);
        const started = performance.now();
        await eventually(async () => assert.equal(await read(worker()), before), {
          timeoutMs: 70_000,
          intervalMs: 250,
        });
        t.diagnostic(`${((performance.now() - started) / 1000).toFixed(1)} s after ${damage.split(' ')[0]}`);
      }
    });

    it('of somebody else is left alone and reported, and taken over by nobody', async () => {
      const registry = { namespace: 'e2e-foreign', name: 'foreign' };
      const path = `${certs}/foreign.example:5000/hosts.toml`;
      const text = 'server = "https://theirs.example"';
      await cluster().onNode(
        worker(),
        `mkdir -p '${certs}/foreign.example:5000' && printf '%s\\n' '${text}' > '${path}'`,
      );
      const before = await certificateFolders(cluster());
      await inNamespace(cluster(), registry.namespace, async () => {
        await cluster().apply(throwaway(registry.namespace, registry.name, { hosts: ['foreign.example:5000'] }));
        const conflict = { type: 'NodesConfigured', status: 'False', reason: 'ForeignFile' } as const;
        await untilCondition(cluster(), registry, { ...conflict, message: new RegExp(worker()) });
        assert.equal(await read(worker(), path), text);
        await cluster().onNode(worker(), `mv '${certs}/foreign.example:5000' /tmp/foreign`);
        await untilCondition(cluster(), registry, { type: 'NodesConfigured', status: 'True' });
        await cluster().kubectl(['delete', 'registry', registry.name, '-n', registry.namespace, '--timeout', '60s']);
        await cluster().onNode(worker(), `mv /tmp/foreign '${certs}/foreign.example:5000'`);
      });
      assert.deepEqual(await certificateFolders(cluster()), before);
      await cluster().onNode(worker(), `rm -r '${certs}/foreign.example:5000'`);
    });

    it('goes with its Registry: the nodes are byte for byte as before', async () => {
      const registry = { namespace: 'e2e-passing', name: 'passing' };
      const before = await certificateFolders(cluster());
      await inNamespace(cluster(), registry.namespace, async () => {
        await cluster().apply(throwaway(registry.namespace, registry.name, { hosts: ['passing.example:5000'] }));
        await untilCondition(cluster(), registry, { type: 'NodesConfigured', status: 'True' });
        assert.notDeepEqual(await certificateFolders(cluster()), before);
      });
      assert.deepEqual(await certificateFolders(cluster()), before);
    });

    // kind adds no nodes to a cluster. To the agents' DaemonSet, a node that begins to match looks the same as one that joins.
    it('is on a node that joins later', async () => {
      const late = cluster().nodes.at(-1) ?? '';
      const elsewhere = { spec: { template: { spec: { nodeSelector: { 'e2e/agent': 'yes' } } } } };
      const everywhere = { spec: { template: { spec: { nodeSelector: { 'e2e/agent': null } } } } };
      const patch = (change: object) =>
        cluster().kubectl(['patch', agents, '-n', namespace, '--type', 'merge', '-p', JSON.stringify(change)]);
      const others = cluster().nodes.filter((node) => node !== late);
      await cluster().kubectl(['label', 'node', ...others, 'e2e/agent=yes']);
      try {
        await patch(elsewhere);
        await cluster().kubectl(['rollout', 'status', agents, '-n', namespace, '--timeout', '90s']);
        // Its agent is not waited for by the rollout. While it ends it would still mend what is removed, and report once more.
        await eventually(async () => assert.equal(await cluster().kubectl(agentOf(late)), ''), soon);
        await cluster().kubectl(['delete', 'nodemirror', late]);
        await cluster().onNode(late, `rm -r ${certs}/*`);
        await eventually(async () => {
          assert.equal((await getRegistry(cluster(), main.namespace, main.name)).status?.nodes?.summary, '2/2');
        }, soon);
        await cluster().kubectl(['label', 'node', late, 'e2e/agent=yes']);
        await eventually(async () => assert.match(await read(late), /http:\/\/.+:5000/), soon);
        await eventually(async () => {
          assert.equal((await getRegistry(cluster(), main.namespace, main.name)).status?.nodes?.summary, '3/3');
        }, soon);
      } finally {
        await patch(everywhere);
        await cluster().kubectl(['label', 'node', '--all', 'e2e/agent-']);
        await cluster().kubectl(['rollout', 'status', agents, '-n', namespace, '--timeout', '90s']);
      }
      await untilReady(cluster(), main);
    });
  });

  it('an address that a node cannot reach is reported with its name, and heals', async () => {
    const address = await cluster().kubectl(['get', 'service', main.name, '-o', 'jsonpath={.spec.clusterIP}']);
    await cluster().onNode(worker(), `ip route add unreachable ${address}`);
    try {
      const problem = { type: 'NodesReachable', status: 'False', reason: 'ProbeFailed' } as const;
      await untilCondition(cluster(), main, { ...problem, message: new RegExp(worker()) });
    } finally {
      await cluster().onNode(worker(), `ip route del unreachable ${address}`);
    }
    await untilCondition(cluster(), main, { type: 'NodesReachable', status: 'True' });
  });
}
