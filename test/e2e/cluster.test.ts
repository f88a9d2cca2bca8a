/** Everything on one real cluster of three nodes, in the order of a life: installed, used, damaged, upgraded, removed. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { removeCluster, runScript, testCluster, type TestCluster } from '#test/support/cluster.ts';
import { freePort } from '#test/support/free-port.ts';
import { chartInUse, chartRemoved } from './chart.ts';
import { children } from './children.ts';
import { figures } from './figures.ts';
import { nodes } from './nodes.ts';
import { plainMachine } from './plain-machine.ts';
import { certificateFolders } from './registries.ts';
import { troubles } from './troubles.ts';
import { upAndPush } from './up-and-push.ts';

describe('on a kind cluster of three nodes', () => {
  let shared: TestCluster | undefined;
  let pristine: Record<string, string> = {};
  const cluster = (): TestCluster => {
    assert.ok(shared, 'there is no cluster, see the first test');
    return shared;
  };
  after(removeCluster);

  it('npm run up -- --no-demo makes the cluster and stops once the operator is installed', async (t) => {
    await runScript('down'); // what an interrupted run, or KEEP_CLUSTER, left
    const port = await freePort();
    const { seconds } = await runScript('up', ['--no-demo', '--port', String(port)]);
    t.diagnostic(`${seconds.toFixed(1)} s`);
    shared = await testCluster(port);
    assert.equal(shared.nodes.length, 3);
    assert.equal(await shared.kubectl(['get', 'pvc', '-n', 'default', '-o', 'name']), '', 'nothing but the operator');
    pristine = await certificateFolders(shared);
  });

  upAndPush(cluster);
  figures(cluster);
  chartInUse(cluster);
  children(cluster);
  nodes(cluster);
  troubles(cluster);
  plainMachine(cluster);
  chartRemoved(cluster, () => pristine);
});
