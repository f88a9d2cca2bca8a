/**
 * Pushes, deletes, moving tags, mounts and resumed uploads without end, beside a garbage collection, and kill -9 of the
 * server at moments that a seed decides. After each start everything that was acknowledged is so, byte for byte, and what
 * was not is there wholly or not at all. STORM_ROUNDS=1000 makes it longer, STORM_SEED=7 does the same things again.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, readdir, rename, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { bundle } from '#scripts/lib/bundle.ts';
import { eventually } from '#test/support/eventually.ts';
import { seededRandom } from '#test/support/random.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope, type Scope } from '#test/support/scope.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createLedger, type Ledger } from './crash-storm/ledger.ts';
import { createWriter, type Writer } from './crash-storm/writer.ts';

const rounds = Number(process.env['STORM_ROUNDS'] ?? 200);
const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000);
const [writers, repositories] = [6, 3];
/** Milliseconds that a server lives. */
const [shortestLife, longestLife] = [5, 200];
/** A collection begins no earlier than the minimum age after a start: in these rounds the server lives so long. */
const collectingRound = 25;
const minimumAgeMs = 1000;

const extensions = {
  garbagecollection: { interval: '20ms', minage: `${minimumAgeMs}ms`, deleteuntagged: true },
};
const purgeSoon = { enabled: true, age: '1s', interval: '1s', dryrun: false };

/** The program as the image holds it, which starts in a third of the time. */
async function builtProgram(scope: Scope): Promise<string[]> {
  const folder = await temporaryFolder(scope);
  await bundle(folder);
  await copyFile('package.json', join(folder, 'package.json'));
  return [process.execPath, join(folder, 'app/main.js'), 'registry'];
}

/** Files that belong to no finished push: temporary ones, and what is left of uploads. */
async function leftovers(root: string): Promise<string[]> {
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name))
    .filter((path) => path.endsWith('.tmp') || path.includes('/_uploads/') || path.includes('/trash/'));
}

/** What is left is removed when it is an hour old: what is younger may be another process's. In the trash the name has the time. */
async function letTimePass(root: string): Promise<void> {
  const past = new Date(Date.now() - 7_200_000);
  for (const path of await leftovers(root)) {
    await utimes(path, past, past);
    await rename(path, path.replace(/(\/trash\/)\d+/, `$1${past.getTime()}`));
  }
}

function lifeOf(round: number, random: () => number): number {
  const life = shortestLife + random() * (longestLife - shortestLife);
  return round % collectingRound === collectingRound - 1 ? minimumAgeMs + life * 2 : life;
}

function openWriters({ url }: TestRegistry, ledger: Ledger): Writer[] {
  return Array.from({ length: writers }, (_, writer) => {
    const repository = `storm/repository-${writer % repositories}`;
    return createWriter({ url, ledger, repository, name: `writer-${writer}`, minimumAgeMs });
  });
}

/** A slow machine gets little done in the life of a server: then it lives longer. */
async function untilStormy(ledger: Ledger, round: number): Promise<void> {
  const isStormy = () => assert.ok(ledger.acknowledged > (round + 1) * 2, 'the storm is a breeze');
  await eventually(isStormy, { timeoutMs: 60_000, intervalMs: 5 });
}

async function stormRound(
  registry: TestRegistry,
  writing: Writer[],
  round: number,
  life: Promise<void>,
): Promise<void> {
  life.catch(() => {});
  const running = Promise.all(
    writing.map((writer, number) => writer.run(seededRandom(seed + round * writers + number), `${seed}/${round}`)),
  );
  await Promise.race([life, running]);
  await registry.kill('SIGKILL');
  await running;
  await registry.start();
}

test(`${rounds} kills lose nothing that was acknowledged (STORM_SEED=${seed})`, async (t) => {
  // Its hooks run last first: the servers end before the folder that they write to is removed.
  const scope = openScope();
  t.after(() => scope.close());
  const random = seededRandom(seed);
  const root = await temporaryFolder(scope);
  const command = await builtProgram(scope);
  const registry = await startRegistry(scope, { command, root, config: { extensions } });
  const client = registryClient(registry.url);
  const ledger = createLedger({ minimumAgeMs });
  const writing = openWriters(registry, ledger);
  for (let round = 0; round < rounds; round++) {
    const life = delay(lifeOf(round, random)).then(() => untilStormy(ledger, round));
    await stormRound(registry, writing, round, life);
    await ledger.verify(client);
  }
  await registry.kill('SIGKILL');
  await letTimePass(root);

  const storage = { filesystem: { rootdirectory: root }, maintenance: { uploadpurging: purgeSoon } };
  const last = await startRegistry(scope, { command, root, config: { storage, extensions } });
  const acknowledged = await ledger.verifyAll(registryClient(last.url));
  t.diagnostic(`${acknowledged} changes were acknowledged`);
  assert.ok(acknowledged > rounds * 2, `only ${acknowledged} changes were acknowledged: the storm was a breeze`);
  await eventually(async () => assert.deepEqual((await leftovers(root)).slice(0, 5), []), { timeoutMs: 20_000 });
  await assertWhole(command, last);
});

/** Every blob on the disk is what its digest says. */
async function assertWhole([program = '', ...args]: string[], { configFile }: TestRegistry): Promise<void> {
  const env = { ...process.env, REGISTRY_EXTENSIONS_SCRUB_BYTESPERSECOND: '0' };
  await promisify(execFile)(program, [...args, 'scrub', '--dry-run', configFile], { env });
}
