import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '#test/support/fake-clock.ts';
import { createReadTurns } from './read-turns.ts';

function reads(count: number) {
  const clock = fakeClock();
  const turns = createReadTurns({ atOnce: 2, quickMs: 5 }, clock);
  const gates = Array.from({ length: count }, () => Promise.withResolvers<number>());
  const begun: number[] = [];
  const results = gates.map((gate, index) =>
    turns.take(() => {
      begun.push(index);
      return gate.promise;
    }),
  );
  return { clock, gates, begun, results };
}

test('only so many read at once, the next one when one has ended, well or not, in the order of asking', async () => {
  const { gates, begun, results } = reads(4);
  assert.deepEqual(begun, [0, 1]);
  gates[1]!.resolve(7);
  assert.equal(await results[1], 7);
  assert.deepEqual(begun, [0, 1, 2]);
  gates[0]!.reject(new Error('disk'));
  await assert.rejects(results[0]!, /disk/);
  assert.deepEqual(begun, [0, 1, 2, 3]);
});

test('reads that never end hold up nobody for more than a moment, and give their turn away once', async () => {
  const { clock, gates, begun, results } = reads(6);
  await clock.advance(5);
  assert.deepEqual(begun, [0, 1, 2, 3]);
  gates[0]!.resolve(0);
  await results[0];
  assert.deepEqual(begun, [0, 1, 2, 3]);
  gates[2]!.resolve(2);
  await results[2];
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
  assert.equal(clock.pending, 2);
});
