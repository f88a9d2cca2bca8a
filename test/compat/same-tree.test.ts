/** The same pushes leave the same files and folders, whoever serves them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerKinds, startRegistry, type RegistryKind } from '#test/support/registry.ts';
import { differences, readTree, withoutHashStates, type Tree } from './tree.ts';
import { pushWorkload } from './workload.ts';

for (const peer of peerKinds) {
  test(`${peer} and ours leave the same tree`, async (t) => {
    const treeOf = async (kind: RegistryKind): Promise<Tree> => {
      const registry = await startRegistry(t, { kind });
      await pushWorkload(registry.url);
      await registry.kill('SIGTERM');
      return withoutHashStates(await readTree(registry.root));
    };
    assert.deepEqual(differences(await treeOf('ours'), await treeOf(peer)), []);
  });
}
