import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '#test/support/fake-clock.ts';
import { createTokenBucket } from './token-bucket.ts';

test('a burst is free, then tokens come at their pace and never more than the burst', async () => {
  const clock = fakeClock();
  const bucket = createTokenBucket({ perSecond: 2, burst: 2 }, () => clock.now());
  assert.deepEqual([bucket.tryTake(), bucket.tryTake(), bucket.tryTake()], [true, true, false]);
  await clock.advance(500);
  assert.deepEqual([bucket.tryTake(), bucket.tryTake()], [true, false]);
  await clock.advance(60_000);
  assert.deepEqual([bucket.reserve(), bucket.reserve(), bucket.reserve(), bucket.reserve()], [0, 0, 500, 1000]);
});
