import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createDurableDirectories } from './durable-directories.ts';

async function recorded(t: TestContext, before: (directory: string) => Promise<void> = async () => {}) {
  const root = await temporaryFolder(t);
  const synced: string[] = [];
  const directories = createDurableDirectories(root, async (directory) => {
    await before(directory);
    synced.push(directory.slice(root.length));
  });
  const take = () => synced.splice(0).sort();
  return { at: (path: string) => join(root, path), directories, take };
}

test('a new directory is synced with all above it, up to the root, and later alone', async (t) => {
  const { at, directories, take } = await recorded(t);
  await directories.make(at('a/b/c'));
  assert.ok((await stat(at('a/b/c'))).isDirectory());
  assert.deepEqual(take(), [], 'making promises nothing yet');
  await directories.sync(at('a/b/c'));
  assert.deepEqual(take(), ['', '/a', '/a/b', '/a/b/c']);
  await directories.make(at('a/b/c'));
  await directories.sync(at('a/b/c'));
  assert.deepEqual(take(), ['/a/b/c']);
  await directories.make(at('a/b/d'));
  await directories.sync(at('a/b/d'));
  assert.deepEqual(take(), ['/a/b', '/a/b/d']);
});

test('one found there may never have been synced', async (t) => {
  const { at, directories, take } = await recorded(t);
  await directories.make(at('a/b'));
  const successor = createDurableDirectories(at(''), async () => {});
  await successor.make(at('a/b'));
  await directories.sync(at('a/b'));
  assert.deepEqual(take(), ['', '/a', '/a/b']);
});

test('what was removed is made again when it has been forgotten', async (t) => {
  const { at, directories, take } = await recorded(t);
  await directories.make(at('a'));
  await directories.sync(at('a'));
  directories.forget();
  await directories.make(at('a'));
  take();
  await directories.sync(at('a'));
  assert.deepEqual(take(), ['', '/a']);
});

test('syncs asked for while one runs share the next, and none is satisfied by one that had begun', async (t) => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let begun = 0;
  const { at, directories, take } = await recorded(t, () => gates[begun++]!.promise);
  const first = directories.syncEntries(at('a'));
  const others = [directories.syncEntries(at('a')), directories.syncEntries(at('a')), directories.syncEntries(at('a'))];
  let satisfied = false;
  void Promise.race(others).then(() => (satisfied = true));
  gates[0]!.resolve();
  await first;
  assert.equal(satisfied, false);
  gates[1]!.resolve();
  await Promise.all(others);
  assert.deepEqual(take(), ['/a', '/a']);
});

test('a sync that fails is told to those who waited for it, and the next one is tried', async (t) => {
  let failures = 1;
  const { at, directories, take } = await recorded(t, async () => {
    if (failures-- > 0) throw new Error('EIO');
  });
  const results = await Promise.allSettled([directories.syncEntries(at('a')), directories.syncEntries(at('a'))]);
  assert.deepEqual(
    results.map((result) => result.status),
    ['rejected', 'fulfilled'],
  );
  assert.deepEqual(take(), ['/a']);
});
