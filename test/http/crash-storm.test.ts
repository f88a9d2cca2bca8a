/**
 * Pushes without end, and kill -9 of the server at moments that a seed decides. After each start everything that was
 * acknowledged is there, byte for byte. STORM_ROUNDS=300 STORM_SEED=7 make it longer, or play it again.
 */
import assert from 'node:assert/strict';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { image } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { seededRandom } from '#test/support/random.ts';
import { registryClient, type RegistryClient } from '#test/support/registry-client.ts';
import { registryKinds, startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createLedger, type Ledger } from './ledger.ts';

const rounds = Number(process.env['STORM_ROUNDS'] ?? 20);
const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000);
/** STORM_OF=distribution shows how a peer fares. */
const kind = registryKinds.find((kind) => kind === process.env['STORM_OF']) ?? 'ours';
const writers = 4;
const longestLife = 250;
const purgeSoon = { enabled: true, age: '1s', interval: '1s', dryrun: false };

/** Pushes image after image until the server is gone. */
async function write(client: RegistryClient, ledger: Ledger, writer: number, round: number): Promise<void> {
  const repository = `storm/writer-${writer}`;
  for (let count = 0; ; count++) {
    const name = `${seed}/${round}/${writer}/${count}`;
    const { manifest, blobs } = image(name, { layers: [500, 40_000, 300_000] });
    const tag = `tag-${count % 5}`;
    try {
      for (const blob of blobs) {
        await client.pushBlob(repository, blob.bytes, blob.digest);
        ledger.acknowledgedBlob(repository, blob.digest);
      }
      ledger.pushing(repository, tag, manifest.digest);
      await client.pushManifest(repository, manifest, tag);
      ledger.acknowledged(repository, tag, manifest.digest);
    } catch (error) {
      // fetch throws a TypeError when the connection is gone; an answer that is an error is a failure of the test.
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}

/** Files that belong to no finished push: temporary ones, and what is left of uploads. */
async function leftovers(root: string): Promise<string[]> {
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => path.endsWith('.tmp') || path.includes('/_uploads/'));
}

/** A temporary file is removed when it is an hour old: a younger one may be another process's. */
async function letTimePass(root: string): Promise<void> {
  const past = new Date(Date.now() - 7_200_000);
  for (const path of await leftovers(root)) await utimes(path, past, past);
}

async function stormRound(registry: TestRegistry, ledger: Ledger, round: number, life: number): Promise<void> {
  const client = registryClient(registry.url);
  const running = Array.from({ length: writers }, (_, writer) => write(client, ledger, writer, round));
  await delay(life);
  await registry.kill('SIGKILL');
  await Promise.all(running);
  await registry.start();
}

test(`${rounds} kills lose nothing that was acknowledged (STORM_SEED=${seed})`, async (t) => {
  const random = seededRandom(seed);
  const root = await temporaryFolder(t);
  const registry = await startRegistry(t, { kind, root });
  const client = registryClient(registry.url);
  const ledger = createLedger();
  for (let round = 0; round < rounds; round++) {
    await stormRound(registry, ledger, round, 20 + random() * longestLife);
    await ledger.verify(client);
  }
  await registry.kill('SIGKILL');
  await letTimePass(root);

  const storage = { filesystem: { rootdirectory: root }, maintenance: { uploadpurging: purgeSoon } };
  const last = await startRegistry(t, { kind, root, config: { storage } });
  const blobs = await ledger.verifyAll(registryClient(last.url));
  t.diagnostic(`${blobs} blobs acknowledged`);
  assert.ok(blobs > rounds, `only ${blobs} blobs were acknowledged: the storm was a breeze`);
  await eventually(async () => assert.deepEqual((await leftovers(root)).slice(0, 5), []), { timeoutMs: 20_000 });
});
