/**
 * The storm of crash-storm.test.ts on three servers that share a volume, all of which collect garbage, beside the command that
 * does: one of them is killed in each round while the others go on. STORM_ROUNDS and STORM_SEED as there.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { seededRandom } from '#test/support/random.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { mainFile, startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createLedger, type Ledger } from './crash-storm/ledger.ts';
import { createWriter, type Writer } from './crash-storm/writer.ts';

const rounds = Number(process.env['STORM_ROUNDS'] ?? 12);
const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000);
const [servers, writersOfEach, repositories] = [3, 2, 2];
/** Milliseconds of a round. */
const [shortest, longest] = [200, 1500];
const minimumAgeMs = 1000;
/** Above the longest push: the command knows nothing of the pushes that run. */
const commandAge = '5s';

const extensions = {
  garbagecollection: { interval: '100ms', minage: `${minimumAgeMs}ms`, deleteuntagged: true },
};

/**
 * What a server does not know is what another one has told its client: that old garbage is there, which then goes. Such a push is
 * refused and tried again (docs/adr/0007).
 */
const triesAgain = /MANIFEST_BLOB_UNKNOWN/;

function openWriters({ url }: TestRegistry, server: number, ledger: Ledger): Writer[] {
  return Array.from({ length: writersOfEach }, (_, number) => {
    const name = `writer-${server}-${number}`;
    const repository = `storm/repository-${(server + number) % repositories}`;
    return createWriter({ url, ledger, repository, name, minimumAgeMs, triesAgain });
  });
}

/** As long as the round lasts; the writers of the server that is killed end with it. */
async function stormRound(writing: Writer[], victim: TestRegistry, round: number, life: number): Promise<void> {
  const over = new AbortController();
  const running = Promise.all(
    writing.map((writer, number) =>
      writer.run(seededRandom(seed + round * writing.length + number), `${seed}/${round}`, over.signal),
    ),
  );
  await Promise.race([delay(life), running]);
  await victim.kill('SIGKILL');
  over.abort();
  await running;
  await victim.start();
}

async function collectByCommand({ configFile }: TestRegistry): Promise<void> {
  const args = [mainFile, 'registry', 'garbage-collect', '--delete-untagged', '--min-age', commandAge, configFile];
  await promisify(execFile)(process.execPath, args);
}

async function runsOfCollections({ debugUrl }: TestRegistry): Promise<number> {
  const text = await (await fetch(new URL('/metrics', debugUrl))).text();
  assert.doesNotMatch(text, /^registry_gc_runs_total\{result="failure"\} [1-9]/m);
  return Number(/^registry_gc_runs_total\{result="success"\} (\d+)/m.exec(text)?.[1] ?? 0);
}

test(`${rounds} kills of one of ${servers} servers on a volume lose nothing (STORM_SEED=${seed})`, async (t) => {
  const scope = openScope();
  t.after(() => scope.close());
  const random = seededRandom(seed);
  const root = await temporaryFolder(scope);
  const all: TestRegistry[] = [];
  while (all.length < servers) all.push(await startRegistry(scope, { root, config: { extensions } }));
  const ledger = createLedger({ minimumAgeMs, othersWereKilled: true });
  const writing = all.flatMap((server, number) => openWriters(server, number, ledger));
  const pick = () => all[Math.floor(random() * servers)] as TestRegistry;
  let collections = 0;
  for (let round = 0; round < rounds; round++) {
    const victim = pick();
    collections += await runsOfCollections(victim);
    const collecting = round % 4 === 3 ? collectByCommand(pick()) : undefined;
    await stormRound(writing, victim, round, shortest + random() * (longest - shortest));
    await collecting;
    await ledger.verify(registryClient(pick().url));
  }
  for (const server of all) collections += await runsOfCollections(server);
  for (const { url } of all.slice(1)) await ledger.verifyAll(registryClient(url));
  const acknowledged = await ledger.verifyAll(registryClient(pick().url));
  t.diagnostic(`${acknowledged} changes were acknowledged beside ${collections} collections`);
  assert.ok(acknowledged > rounds * 2 && collections > rounds, 'the storm was a breeze');
});
