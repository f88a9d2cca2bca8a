/**
 * What the crash of another registry leaves on a volume: blobs cut short or empty, links without content, temporary
 * files. Ours serves no wrong byte of it, and the next push heals it.
 */
import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { image, type Image } from '#test/support/content.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { peerKinds, startRegistry } from '#test/support/registry.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { collectGarbage } from './collect.ts';

const victim = image('victim', { layers: [5000, 2_000_000] });
const bystander = image('bystander');
const strayId = '0e5c3b1a-8f4d-4c43-9b3e-1d2c3b4a5968';

function dataFile(root: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(root, 'docker/registry/v2/blobs', algorithm, hex.slice(0, 2), hex, 'data');
}

function repositoryFile(root: string, path: string): string {
  return join(root, 'docker/registry/v2/repositories/team/app', path);
}

/** The file that is hurt, and what becomes of it. */
type Damage = (root: string) => Promise<void>;

const [config, smallLayer, largeLayer] = victim.blobs.map(({ digest }) => digest) as [string, string, string];
const manifestHex = victim.manifest.digest.slice('sha256:'.length);

const damages: Record<string, Damage> = {
  'an empty configuration': (root) => truncate(dataFile(root, config), 0),
  'an empty small layer': (root) => truncate(dataFile(root, smallLayer), 0),
  'a small layer cut short': (root) => truncate(dataFile(root, smallLayer), 4096),
  'a large layer cut short': (root) => truncate(dataFile(root, largeLayer), 1_900_000),
  'a large layer that grew': (root) => truncate(dataFile(root, largeLayer), 2_100_000),
  'a small layer of the right size with other bytes': async (root) => {
    const bytes = await readFile(dataFile(root, smallLayer));
    await writeFile(dataFile(root, smallLayer), bytes.reverse());
  },
  'an empty manifest': (root) => truncate(dataFile(root, victim.manifest.digest), 0),
  'a manifest cut short': (root) => truncate(dataFile(root, victim.manifest.digest), 100),
  'an empty link of a layer': (root) => truncate(repositoryFile(root, `_layers/sha256/${smallLayer.slice(7)}/link`), 0),
  'an empty link of a revision': (root) =>
    truncate(repositoryFile(root, `_manifests/revisions/sha256/${manifestHex}/link`), 0),
  'an empty link of a tag': (root) => truncate(repositoryFile(root, '_manifests/tags/1/current/link'), 0),
};

/** The volume as a peer leaves it, the victim hurt. */
async function hurtVolume(t: TestContext, peer: (typeof peerKinds)[number], damage: Damage): Promise<string> {
  const root = await temporaryFolder(t);
  const registry = await startRegistry(t, { kind: peer, root });
  const client = registryClient(registry.url);
  await client.pushImage('team/app', victim, '1');
  await client.pushImage('team/app', bystander, 'other');
  await registry.kill('SIGTERM');
  await damage(root);
  return root;
}

/** As docker and podman push: what the registry says it has is not sent again. */
async function pushWhatIsMissing(url: string, { manifest, blobs }: Image): Promise<void> {
  const client = registryClient(url);
  for (const { digest, bytes } of blobs) {
    const head = await fetch(new URL(`/v2/team/app/blobs/${digest}`, url), { method: 'HEAD' });
    if (head.status !== 200) await client.pushBlob('team/app', bytes, digest);
  }
  await client.pushManifest('team/app', manifest, '1');
}

for (const [what, damage] of Object.entries(damages)) {
  test(`${what} is not served, and the next push heals it`, async (t) => {
    const root = await hurtVolume(t, 'distribution', damage);
    const registry = await startRegistry(t, { root });
    const client = registryClient(registry.url);
    await client.pullAll('team/app', '1').catch((error: unknown) => assert.match(String(error), /is missing$/));
    await client.pullAll('team/app', 'other');
    await pushWhatIsMissing(registry.url, victim);
    await client.pullAll('team/app', '1');
    assert.deepEqual(await client.tags('team/app'), ['1', 'other']);
    await registry.kill('SIGTERM');
    const again = await startRegistry(t, { root });
    await registryClient(again.url).pullAll('team/app', '1');
  });
}

for (const peer of peerKinds) {
  test(`temporary files of ${peer} disturb nobody`, async (t) => {
    const root = await hurtVolume(t, peer, async (root) => {
      await writeFile(`${dataFile(root, config)}.${strayId}.tmp`, 'half');
      await writeFile(repositoryFile(root, `_manifests/tags/1/current/link.${strayId}.tmp`), 'sha256:12');
      await writeFile(repositoryFile(root, `_manifests/revisions/sha256/${manifestHex}/link.${strayId}.tmp`), '');
    });
    const registry = await startRegistry(t, { root });
    const client = registryClient(registry.url);
    await client.pullAll('team/app', '1');
    assert.deepEqual(await client.tags('team/app'), ['1', 'other']);
    await pushWhatIsMissing(registry.url, victim);
    await registry.kill('SIGTERM');
    await collectGarbage(registry);
    const again = await startRegistry(t, { kind: peer, root });
    await registryClient(again.url).pullAll('team/app', '1');
  });
}
