/** One set of pushes and deletes that every registry can be given, and what must be true of it afterwards. */
import assert from 'node:assert/strict';
import { digestOf, dockerImage, image, index, mediaTypes } from '#test/support/content.ts';
import { registryClient } from '#test/support/registry-client.ts';

/** Repository -> tag -> digest. */
export type Expected = Record<string, Record<string, string>>;

/** Uses what 2.8 and 3 both can: OCI and docker types, several tags, a moved tag, mounts, deletes, an upload left open. */
export async function pushWorkload(url: string): Promise<Expected> {
  const client = registryClient(url);
  const [first, second, third] = [image('first'), image('second', { layers: [10, 200_000] }), image('third')];
  const docker = dockerImage('docker');
  const list = index([docker], mediaTypes.dockerList);
  const multi = index([first, second]);

  await client.pushImage('team/app', first, '1');
  await client.pushImage('team/app', first, 'stable');
  await client.pushImage('team/app', second, '2');
  await client.pushManifest('team/app', second.manifest, 'stable');
  await client.pushImage('team/app/nested', third);
  await client.pushImage('docker-types', docker, 'image');
  await client.pushManifest('docker-types', list, 'list');

  for (const blob of [...first.blobs, ...second.blobs])
    assert.ok(await client.mount('mounted', blob.digest, 'team/app'));
  for (const { manifest } of [first, second]) await client.pushManifest('mounted', manifest);
  await client.pushManifest('mounted', multi, 'latest');

  await client.pushImage('deleted', third, 'gone');
  await client.deleteManifest('deleted', third.manifest.digest);
  await client.pushBlob('unfinished', Buffer.from('a blob without a manifest'));
  await client.pushBlob('unfinished', Buffer.from('a blob that was deleted'));
  await client.deleteBlob('unfinished', digestOf(Buffer.from('a blob that was deleted')));
  await client.openUpload('unfinished', Buffer.from('half of a blob'));
  return {
    'team/app': { 1: first.manifest.digest, 2: second.manifest.digest, stable: second.manifest.digest },
    'docker-types': { image: docker.manifest.digest, list: list.digest },
    mounted: { latest: multi.digest },
  };
}

/** What the next registry does with the volume that it was given. */
export async function changeWorkload(url: string, expected: Expected): Promise<Expected> {
  const client = registryClient(url);
  const fourth = image('fourth', { layers: [100, 100] });
  await client.pushImage('team/app', fourth, '4');
  await client.pushImage('newcomer', fourth, 'latest');
  await client.pushManifest('team/app', fourth.manifest, '1');
  const removed = expected['team/app']?.['2'] ?? '';
  await client.deleteManifest('team/app', removed);
  return {
    ...expected,
    'team/app': { 1: fourth.manifest.digest, 4: fourth.manifest.digest },
    newcomer: { latest: fourth.manifest.digest },
  };
}

/** Lists and pulls everything, byte for byte. */
export async function verify(url: string, expected: Expected): Promise<void> {
  const client = registryClient(url);
  const repositories = await client.repositories();
  for (const [repository, tags] of Object.entries(expected)) {
    assert.ok(repositories.includes(repository), `${repository} is not in ${repositories.join(', ')}`);
    assert.deepEqual((await client.tags(repository))?.sort(), Object.keys(tags).sort());
    for (const [tag, digest] of Object.entries(tags)) {
      assert.equal((await client.manifest(repository, tag))?.digest, digest, `${repository}:${tag}`);
      await client.pullAll(repository, tag);
    }
  }
}
