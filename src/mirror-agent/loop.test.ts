import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import type { Clock } from '#shared/clock.ts';
import { createLoop } from './loop.ts';

/** A clock that stands still until it is told. */
function handClock(): Clock & { advance(ms: number): Promise<void> } {
  let now = 0;
  const timers = new Map<() => void, number>();
  return {
    now: () => now,
    date: () => new Date(now),
    random: () => 0,
    after(ms, callback) {
      timers.set(callback, now + ms);
      return () => timers.delete(callback);
    },
    async advance(ms) {
      now += ms;
      for (const [callback, at] of timers) {
        if (at > now) continue;
        timers.delete(callback);
        callback();
      }
      await turn();
    },
  };
}

test('it works at once, after the wait that it asked for, and when woken', async () => {
  const clock = handClock();
  const stop = new AbortController();
  let rounds = 0;
  const loop = createLoop(async () => {
    rounds++;
    return 1000;
  }, clock);
  const running = loop.run(stop.signal);
  await turn();
  assert.equal(rounds, 1);
  await clock.advance(999);
  assert.equal(rounds, 1);
  assert.equal(loop.silentMs, 999);
  await clock.advance(1);
  assert.equal(rounds, 2);
  loop.wake(100);
  loop.wake(500);
  await clock.advance(100);
  assert.equal(rounds, 3);
  loop.wake(0);
  await turn();
  assert.equal(rounds, 4);
  stop.abort();
  await running;
  assert.equal(rounds, 4);
});

test('a wake during the work is not lost, and the work never runs twice at a time', async () => {
  const clock = handClock();
  const stop = new AbortController();
  const gates: (() => void)[] = [];
  const loop = createLoop(async () => {
    await new Promise<void>((resolve) => gates.push(resolve));
    return 1000;
  }, clock);
  const running = loop.run(stop.signal);
  await turn();
  loop.wake(0);
  await turn();
  assert.equal(gates.length, 1);
  gates[0]?.();
  await turn();
  assert.equal(gates.length, 2);
  stop.abort();
  gates[1]?.();
  await running;
});
