/**
 * The server on a real disk that answers EIO for a part of its blocks, while clients push and pull: each is told, or gets the
 * right bytes, and when the disk works again so does the server, without a restart. At last everything that was acknowledged is
 * read from the disk itself. src/registry/storage/faults.test.ts fails each single step, by a driver that stands for such a disk.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { image, type Image } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { failingDisk, type FailingDisk } from '#test/support/failing-disk.ts';
import { leftovers } from '#test/support/files-below.ts';
import { canLoop } from '#test/support/loop-volume.ts';
import { registryClient, type RegistryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';

const mebibyte = 2 ** 20;
const repository = 'failing/disk';
/** MiB of the disk that go on working, each time: for nothing of what is asked for, for some of it, for most of it. */
const limits = [32, 75, 94];
/** The last ones are written by a thread of their own. */
const layerBytes = [1, 1000, 200_000, 3 * mebibyte, 6 * mebibyte];

/** What a client is told of a request that the disk failed; or its connection ends, when the answer had begun. */
const told = /: 50[0378] .*"errors"|terminated|other side closed|fetch failed/;

interface Bench {
  disk: FailingDisk;
  registry: TestRegistry;
  client: RegistryClient;
  /** The images that were acknowledged, by tag. */
  kept: Map<string, Image>;
}

/** Whether it was done; when it was not, the client has to know. */
async function attempt(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    assert.match(inspect(error), told);
    return false;
  }
}

async function push({ client, kept }: Bench, tag: string, layers: number[]): Promise<boolean> {
  const pushed = image(tag, { layers });
  const done = await attempt(() => client.pushImage(repository, pushed, tag));
  if (done) kept.set(tag, pushed);
  return done;
}

async function pullEach({ client, kept }: Bench): Promise<boolean[]> {
  return Promise.all([...kept.keys()].map((tag) => attempt(() => client.pullAll(repository, tag))));
}

/** Each tag still names the manifest that was acknowledged last, and all below it is there, to the byte. */
async function assertKept({ client, kept }: Bench): Promise<void> {
  for (const [tag, { manifest }] of kept) {
    assert.equal((await client.manifest(repository, tag))?.digest, manifest.digest);
    await client.pullAll(repository, tag);
  }
}

/** What could not be done while a part of the disk was bad. */
interface Failed {
  pulls: number;
  pushes: number;
}

async function failOnce(t: TestContext, bench: Bench, limit: number): Promise<Failed> {
  const { disk } = bench;
  await disk.fail(limit * mebibyte);
  const pulled = await pullEach(bench);
  const pushed = await Promise.all(layerBytes.map((bytes) => push(bench, `fail-${limit}-${bytes}`, [bytes])));
  pulled.push(...(await pullEach(bench)));
  const count = (outcomes: boolean[]) => outcomes.filter((done) => !done).length;
  const failed = { pulls: count(pulled), pushes: count(pushed) };
  t.diagnostic(`failed: ${failed.pulls} of ${pulled.length} pulls, ${failed.pushes} of ${pushed.length} pushes`);

  await disk.heal();
  await assertKept(bench);
  // The kernel may hold one more failed write against a directory, and tells it to the next one who asks for its safety.
  await eventually(async () => assert.ok(await push(bench, `after-${limit}`, layerBytes)));
  await eventually(async () => assert.deepEqual(await leftovers(disk.folder), []));
  return failed;
}

const skip = canLoop ? false : 'needs to mount, and loop devices';
void test(`a disk that fails for a while, ${limits.length} times`, { skip }, async (t) => {
  const scope = openScope();
  t.after(() => scope.close());
  const disk = await failingDisk(t);
  const registry = await startRegistry(scope, { root: join(disk.folder, 'registry') });
  const bench: Bench = { disk, registry, client: registryClient(registry.url), kept: new Map() };
  for (let number = 0; number < 4; number++) assert.ok(await push(bench, `before-${number}`, layerBytes));
  const pid = registry.pid();
  const failed: Failed = { pulls: 0, pushes: 0 };
  for (const limit of limits) {
    const { pulls, pushes } = await failOnce(t, bench, limit);
    failed.pulls += pulls;
    failed.pushes += pushes;
  }
  assert.ok(failed.pulls > 0 && failed.pushes > 0, 'the disk failed');
  assert.equal(registry.pid(), pid);

  await registry.kill('SIGKILL');
  await disk.remount();
  await registry.start();
  await assertKept(bench);
  assert.equal(await registry.kill('SIGTERM'), 0);
});
