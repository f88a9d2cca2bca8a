import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProtection } from './protection.ts';

function fixture(protectMs: number) {
  let now = 1000;
  const protection = createProtection({ protectMs, now: () => now });
  const removed: string[] = [];
  const remove = (key: string) =>
    protection.remove([key], async () => {
      removed.push(key);
      return true;
    });
  return { protection, removed, remove, advance: (ms: number) => (now += ms) };
}

test('a held key is not removed, a free one is', async () => {
  const { protection, remove } = fixture(0);
  protection.begin();
  const release = await protection.hold(['a', 'b']);
  assert.equal(await remove('a'), false);
  assert.equal(await remove('c'), true);
  release();
  assert.equal(await remove('a'), false, 'it was used since the collection began');
});

test('a use before the collection protects for the protected time, one during it until the end', async () => {
  const { protection, remove, advance } = fixture(500);
  void protection.touch('early');
  advance(400);
  const end = protection.begin();
  assert.equal(await remove('early'), false);
  void protection.touch('late');
  advance(10_000);
  assert.equal(await remove('early'), true);
  assert.equal(await remove('late'), false);
  end();
  protection.begin();
  assert.equal(await remove('late'), true);
});

test('who holds a key while it is being removed waits, and then sees that it is gone', async () => {
  const { protection } = fixture(0);
  protection.begin();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const removal = protection.remove(['a'], async () => {
    await gate.promise;
    order.push('removed');
    return true;
  });
  const held = protection.hold(['a', 'b']).then(() => order.push('held'));
  const touched = protection.touch('a')?.then(() => order.push('touched'));
  gate.resolve();
  await Promise.all([removal, held, touched]);
  assert.equal(order[0], 'removed');
  assert.equal(order.length, 3);
});

test('two holders: the key is free when both have let go, and letting go twice counts once', async () => {
  const { protection, remove, advance } = fixture(0);
  const [first, second] = [await protection.hold(['a']), await protection.hold(['a'])];
  first();
  first();
  advance(1);
  protection.begin();
  assert.equal(await remove('a'), false);
  second();
  advance(1);
  protection.begin();
  assert.equal(await remove('a'), true);
});

test('a removal that fails frees the key and passes the error on', async () => {
  const { protection, remove } = fixture(0);
  protection.begin();
  await assert.rejects(
    protection.remove(['a'], async () => Promise.reject(new Error('EIO'))),
    /EIO/,
  );
  assert.equal(await remove('a'), true);
});
