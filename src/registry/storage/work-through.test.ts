import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workThrough } from './work-through.ts';

test('everything is visited once, what visits add too, and no more than the width at a time', async () => {
  const seen: number[] = [];
  let running = 0;
  let most = 0;
  await workThrough([1], {
    width: 3,
    async visit(item, add) {
      running++;
      most = Math.max(most, running);
      await Promise.resolve();
      seen.push(item);
      if (item < 500) [item * 2, item * 2 + 1].forEach(add);
      running--;
    },
  });
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    Array.from({ length: 999 }, (_, index) => index + 1),
  );
  assert.equal(most, 3);
});

test('the first error ends it, when the visits that run have ended', async () => {
  let running = 0;
  const visit = async (item: number) => {
    running++;
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    if (item === 7) throw new Error('seven');
  };
  const items = Array.from({ length: 1000 }, (_, index) => index);
  await assert.rejects(workThrough(items.reverse(), { width: 4, visit }), /seven/);
  assert.equal(running, 0);
});

test('an error in a turn of the others is not lost', async () => {
  const visit = async (item: number) => {
    const until = performance.now() + 5;
    while (performance.now() < until);
    await Promise.resolve();
    if (item === 1) throw new Error('one');
  };
  await assert.rejects(workThrough([1, 2, 3, 4], { width: 4, visit }), /one/);
  const late = async (item: number) => {
    if (item === 0) {
      const until = performance.now() + 5;
      while (performance.now() < until);
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('late');
  };
  await assert.rejects(workThrough([1, 0], { width: 2, visit: late }), /late/);
});

test('a signal ends it', async () => {
  const controller = new AbortController();
  let visits = 0;
  const visit = async () => {
    if (++visits === 10) controller.abort(new Error('enough'));
  };
  const items = Array.from({ length: 1000 }, () => 0);
  await assert.rejects(workThrough(items, { width: 1, signal: controller.signal, visit }), /enough/);
  assert.equal(visits, 10);
});

test('others get their turn meanwhile', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const visit = async () => {
    const until = performance.now() + 1;
    while (performance.now() < until);
  };
  await workThrough(Array.from({ length: 100 }), { width: 4, visit });
  clearInterval(timer);
  assert.ok(turns > 3, `${turns} turns`);
});
