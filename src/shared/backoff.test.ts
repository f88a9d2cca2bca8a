import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';

const policy = { baseMs: 250, maxMs: 30_000 };

test('the pause doubles up to its limit', () => {
  const pauses = [1, 2, 3, 4, 7, 8, 9, 1000].map((failures) => backoffMs(policy, failures, () => 0));
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
});

test('chance cuts up to a half, and never adds', () => {
  assert.equal(
    backoffMs(policy, 1, () => 0.5),
    187.5,
  );
  assert.ok(backoffMs(policy, 1000, () => 0.999_999) > 15_000);
});
