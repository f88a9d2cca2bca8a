/** A volume changes hands: from a peer to ours and back, from ours to a peer and back, garbage collections included. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { peerKinds, startRegistry, type RegistryKind, type TestRegistry } from '#test/support/registry.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { collectGarbage } from './collect.ts';
import { garbage } from './tree.ts';
import { changeWorkload, pushWorkload, verify } from './workload.ts';

/** Serves the volume with one registry while `use` runs, and lets it end in peace. */
async function serving<T>(
  t: TestContext,
  kind: RegistryKind,
  root: string,
  use: (registry: TestRegistry) => Promise<T>,
): Promise<T> {
  const registry = await startRegistry(t, { kind, root });
  try {
    return await use(registry);
  } finally {
    await registry.kill('SIGTERM');
  }
}

async function collectAndVerify(t: TestContext, kind: RegistryKind, root: string): Promise<void> {
  const rubbish = await garbage(root);
  assert.ok(rubbish.length > 0, 'the workload leaves something to collect');
  const stopped = await startRegistry(t, { kind, root });
  await stopped.kill('SIGTERM');
  assert.deepEqual(await collectGarbage(stopped, '--dry-run'), rubbish);
  assert.deepEqual(await garbage(root), rubbish, 'a dry run removes nothing');
  await collectGarbage(stopped);
  assert.deepEqual(await garbage(root), []);
}

for (const peer of peerKinds) {
  const directions: [first: RegistryKind, second: RegistryKind][] = [
    [peer, 'ours'],
    ['ours', peer],
  ];
  for (const [first, second] of directions) {
    test(`a volume of ${first} is served by ${second}, changed, and handed back`, async (t) => {
      const root = await temporaryFolder(t);
      const pushed = await serving(t, first, root, ({ url }) => pushWorkload(url));
      const changed = await serving(t, second, root, async ({ url }) => {
        await verify(url, pushed);
        return changeWorkload(url, pushed);
      });
      await serving(t, first, root, ({ url }) => verify(url, changed));
    });

    test(`${second} collects the garbage of ${first}, and ${first} goes on`, async (t) => {
      const root = await temporaryFolder(t);
      const pushed = await serving(t, first, root, ({ url }) => pushWorkload(url));
      await collectAndVerify(t, second, root);
      await serving(t, first, root, async ({ url }) => {
        await verify(url, pushed);
        await verify(url, await changeWorkload(url, pushed));
      });
    });
  }
}
