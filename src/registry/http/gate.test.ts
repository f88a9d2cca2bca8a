import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '#test/support/fake-clock.ts';
import { createGate, type GateOptions } from './gate.ts';

const never = new AbortController().signal;

function gateOf(options: Partial<GateOptions> = {}) {
  const clock = fakeClock();
  return { clock, gate: createGate({ maxRunning: 1, maxInQueue: 2, maxWaitInQueue: 1000, ...options }, clock) };
}

test('places are given in the order of asking, and one that is given back goes on', async () => {
  const { gate, clock } = gateOf();
  const first = await gate.enter(never);
  const order: number[] = [];
  const [second, third] = [2, 3].map((n) => gate.enter(never).then((leave) => (order.push(n), leave)));
  assert.equal(await gate.enter(never), undefined);
  first?.();
  (await second)?.();
  (await third)?.();
  assert.deepEqual(order, [2, 3]);
  assert.equal(clock.pending, 0);
  assert.ok(await gate.enter(never));
});

test('nobody waits longer than is allowed', async () => {
  const { gate, clock } = gateOf();
  const leave = await gate.enter(never);
  const waiting = gate.enter(never);
  await clock.advance(1000);
  assert.equal(await waiting, undefined);
  leave?.();
  assert.ok(await gate.enter(never));
});

test('without such a limit one waits as long as it takes', async () => {
  const { gate, clock } = gateOf({ maxWaitInQueue: 0 });
  const leave = await gate.enter(never);
  const waiting = gate.enter(never);
  await clock.advance(3_600_000);
  leave?.();
  assert.ok(await waiting);
});

test('who went away gets no place, and blocks none', async () => {
  const { gate } = gateOf({ maxInQueue: 1 });
  const leave = await gate.enter(never);
  const left = new AbortController();
  const gone = gate.enter(left.signal);
  left.abort();
  assert.equal(await gone, undefined);
  const next = gate.enter(never);
  leave?.();
  assert.ok(await next);
});
