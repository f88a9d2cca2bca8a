import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '#test/support/fake-clock.ts';
import { remembered } from './remembered.ts';

test('is read once for all who ask at the same time, and again when time is up or it was forgotten', async () => {
  const clock = fakeClock();
  let reads = 0;
  const value = remembered(clock, 1000, () => Promise.resolve(++reads));
  assert.deepEqual(await Promise.all([value.get(), value.get()]), [1, 1]);
  await clock.advance(999);
  assert.equal(await value.get(), 1);
  await clock.advance(1);
  assert.equal(await value.get(), 2);
  value.forget();
  assert.equal(await value.get(), 3);
});

test('a failure is told to all who asked, and tried again by the next', async () => {
  let reads = 0;
  const value = remembered(fakeClock(), 1000, () =>
    ++reads === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(reads),
  );
  const failures = await Promise.allSettled([value.get(), value.get()]);
  assert.deepEqual(
    failures.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(await value.get(), 2);
});
