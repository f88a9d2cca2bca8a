import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { aborted } from '#shared/lifecycle.ts';
import { fakeClock } from '#test/support/fake-clock.ts';
import { runTogether } from './run-together.ts';

const untilStopped = (signal: AbortSignal): Promise<void> => aborted(signal);

test('runs until it is told to stop, even with nothing to run, and waits for the end of all', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  let woundUp = false;
  const slow = async (signal: AbortSignal): Promise<void> => {
    await aborted(signal);
    await turn();
    woundUp = true;
  };
  let ended = 0;
  const runs = [runTogether(clock, [slow, untilStopped], stop.signal, 1000), runTogether(clock, [], stop.signal, 1000)];
  for (const run of runs) void run.then(() => ended++);
  await turn();
  assert.equal(ended, 0);
  stop.abort();
  await Promise.all(runs);
  assert.ok(woundUp);
  assert.equal(clock.pending, 0);
});

test('one that fails ends the others, and its error is that of all', async () => {
  const steps: string[] = [];
  const other = async (signal: AbortSignal): Promise<void> => {
    await aborted(signal);
    steps.push('other ended');
  };
  const failing = (): Promise<void> => Promise.reject(new Error('out of order'));
  const run = runTogether(fakeClock(), [other, failing], new AbortController().signal, 1000);
  await assert.rejects(run, /out of order/);
  assert.deepEqual(steps, ['other ended']);
});

test('one that does not stop is given up after a while', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const stuck = (): Promise<void> => new Promise(() => {});
  const given = assert.rejects(runTogether(clock, [stuck, untilStopped], stop.signal, 1000), /not stopped within 1 s/);
  stop.abort();
  await clock.advance(1000);
  await given;
});
