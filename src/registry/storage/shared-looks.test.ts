import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StorageDriver } from './driver.ts';
import { createInMemoryDriver } from './drivers/inmemory.ts';
import { sharedLooks } from './shared-looks.ts';

const path = '/a/link';

/** The memory, which counts the looks that reach it. */
function countingDriver(): { driver: StorageDriver; looks: () => number } {
  const memory = createInMemoryDriver();
  let looks = 0;
  const stat: StorageDriver['stat'] = (path) => {
    looks++;
    return memory.stat(path);
  };
  return { driver: { ...memory, stat }, looks: () => looks };
}

/** Asks often enough, each time alone or all at once, for the driver to notice. */
async function ask(driver: StorageDriver, how: 'alone' | 'together'): Promise<void> {
  if (how === 'together') await Promise.all(Array.from({ length: 32 }, () => driver.stat(path)));
  else for (let i = 0; i < 32; i++) await driver.stat(path);
}

test('those who ask in one turn get one look', async () => {
  const { driver, looks } = countingDriver();
  const shared = sharedLooks(driver);
  await ask(shared, 'together');
  const before = looks();
  const infos = await Promise.all([shared.stat(path), shared.stat(path), shared.stat('/b'), shared.stat(path)]);
  assert.deepEqual(infos, [undefined, undefined, undefined, undefined]);
  assert.equal(looks() - before, 2);
});

test('a look is never older than the question', async () => {
  const { driver } = countingDriver();
  const shared = sharedLooks(driver);
  await ask(shared, 'together');
  const early = shared.stat(path);
  // In the same turn: the memory changes at once.
  void driver.putContent(path, Buffer.from('1'));
  const late = shared.stat(path);
  assert.equal((await late)?.size, 1);
  assert.equal((await early)?.size, 1);
  await driver.putContent(path, Buffer.from('22'));
  assert.equal((await shared.stat(path))?.size, 2);
  await driver.delete(path);
  assert.equal(await shared.stat(path), undefined);
});

test('one that asks alone is not kept waiting', async () => {
  const shared = sharedLooks(countingDriver().driver);
  await ask(shared, 'together');
  await ask(shared, 'alone');
  let turns = 0;
  const counting = (async () => {
    for (; turns < 1000; turns++) await nextTurn();
  })();
  await ask(shared, 'alone');
  assert.ok(turns <= 4, `${turns} turns`);
  turns = 1000;
  await counting;
});

test('a place that fails, fails all who ask', async () => {
  const broken = new Error('the disk is gone');
  const shared = sharedLooks({ ...createInMemoryDriver(), stat: () => Promise.reject(broken) });
  const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => shared.stat(path)));
  for (const outcome of outcomes) assert.deepEqual(outcome, { status: 'rejected', reason: broken });
});
