import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldBy, microTime } from './lease.ts';

const now = new Date('2026-01-02T03:04:05.678Z');

test('times have six digits', () => {
  assert.equal(microTime(now), '2026-01-02T03:04:05.678000Z');
});

test('a Lease that is new, renewed, and taken over', () => {
  const first = heldBy('a', 15_000, new Date('2026-01-01T00:00:00Z'), undefined);
  assert.deepEqual(first, {
    holderIdentity: 'a',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 0,
  });
  const renewed = heldBy('a', 15_000, now, first);
  assert.deepEqual(renewed, { ...first, renewTime: '2026-01-02T03:04:05.678000Z' });
  const taken = heldBy('b', 15_000, now, { ...renewed, holderIdentity: '' });
  assert.equal(taken.acquireTime, '2026-01-02T03:04:05.678000Z');
  assert.equal(taken.leaseTransitions, 1);
});
