import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorReport, MirrorState } from '#shared/node-mirrors.ts';
import { createPace } from './pace.ts';

const one = (state: MirrorState): MirrorReport[] => [
  { host: 'a:1', registry: { namespace: 'n', name: 'r', uid: 'u' }, state },
];

test('nothing to do waits for the sync period, a good state at most 20 s', () => {
  assert.equal(createPace(60_000)([], 'r1'), 60_000);
  assert.equal(createPace(60_000)(one('Configured'), 'r1'), 20_000);
  assert.equal(createPace(1000)(one('Configured'), 'r1'), 1000);
});

test('a bad state is looked at soon, then less often, and soon again after a change', () => {
  const pace = createPace(60_000);
  const waits = Array.from({ length: 12 }, () => pace(one('Unreachable'), 'r1'));
  assert.deepEqual(waits.slice(0, 3), [500, 750, 1125]);
  assert.equal(waits.at(-1), 10_000);
  assert.equal(pace(one('Unreachable'), 'r2'), 500);
  assert.equal(pace(one('Configured'), 'r2'), 20_000);
  assert.equal(pace(one('Conflict'), 'r2'), 500);
});
