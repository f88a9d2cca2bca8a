import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyedMutex } from './keyed-mutex.ts';

test('one at a time for a key, in the order of asking, after a failure too', async () => {
  const mutex = createKeyedMutex();
  const seen: string[] = [];
  const action = (name: string) => async () => {
    seen.push(`${name} begins`);
    await Promise.resolve();
    seen.push(`${name} ends`);
    if (name === 'a') throw new Error('a failed');
    return name;
  };
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => mutex.run('key', action(name))));
  assert.deepEqual(
    results.map((result) => result.status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
  assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('keys do not wait for each other', async () => {
  const mutex = createKeyedMutex();
  const gate = Promise.withResolvers<void>();
  const waiting = mutex.run('a', () => gate.promise);
  assert.equal(await mutex.run('b', async () => 'done'), 'done');
  gate.resolve();
  await waiting;
});
