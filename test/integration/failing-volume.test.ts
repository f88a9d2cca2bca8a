/**
 * The server on a real volume that fills up, or is mounted read-only, under it: pulls go on, pushes are told why not, nothing
 * is left over, and when the volume is well again so is the server, without a restart.
 */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { image } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { leftovers } from '#test/support/files-below.ts';
import { registryClient, type RegistryClient } from '#test/support/registry-client.ts';
import { startRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';
import { canMount, smallVolume, type SmallVolume } from '#test/support/small-volume.ts';

const mebibyte = 2 ** 20;

interface Failure {
  name: string;
  /** What a client is told. */
  told: RegExp;
  begin: (volume: SmallVolume) => Promise<unknown>;
  end: (volume: SmallVolume) => Promise<unknown>;
}

const filler = ({ folder }: SmallVolume) => join(folder, 'filler');

const failures: Failure[] = [
  {
    name: 'full',
    told: /: 507 .*is full/,
    // Written until the volume takes no more.
    begin: (volume) => writeFile(filler(volume), Buffer.alloc(64 * mebibyte)).catch(() => undefined),
    end: (volume) => rm(filler(volume)),
  },
  {
    name: 'read-only',
    told: /: 503 .*read-only/,
    begin: ({ remount }) => remount('ro'),
    end: ({ remount }) => remount('rw'),
  },
];

/** Each change that a client can ask for, on what was pushed before. */
async function assertRefused(client: RegistryClient, told: RegExp, number: number): Promise<void> {
  const { manifest, blobs } = image('before');
  const [layer] = image(`refused/${number}`, { layers: [200_000] }).blobs.slice(1);
  assert.ok(layer);
  await assert.rejects(client.pushBlob('a/b', layer.bytes, layer.digest), told);
  await assert.rejects(client.pushManifest('a/b', manifest, 'another'), told);
  await assert.rejects(client.mount('other', blobs[1]?.digest ?? '', 'a/b'), told);
  assert.equal(await client.manifest('a/b', 'another'), undefined);
  assert.ok((await client.pullAll('a/b', 'x')) > 1000);
}

for (const { name, told, begin, end } of canMount ? failures : []) {
  void test(`a volume that is ${name} for a while, three times`, async (t) => {
    const scope = openScope();
    t.after(() => scope.close());
    const volume = await smallVolume(t, '16m');
    const registry = await startRegistry(scope, { root: volume.folder });
    const client = registryClient(registry.url);
    await client.pushImage('a/b', image('before'), 'x');
    const pid = registry.pid();
    for (let number = 0; number < 3; number++) {
      await begin(volume);
      await Promise.all(Array.from({ length: 4 }, () => assertRefused(client, told, number)));
      await end(volume);
      await client.pushImage('a/b', image(`after/${number}`, { layers: [300_000] }), `after-${number}`);
      assert.ok((await client.pullAll('a/b', `after-${number}`)) > 300_000);
      await eventually(async () => assert.deepEqual(await leftovers(volume.folder), []));
    }
    assert.equal(registry.pid(), pid);
    assert.equal(await registry.kill('SIGTERM'), 0);
  });
}
