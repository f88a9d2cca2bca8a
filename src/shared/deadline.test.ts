import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '#test/support/fake-clock.ts';
import { DeadlineError, withDeadline } from './deadline.ts';
import { aborted } from './lifecycle.ts';

const untilAborted = async (signal: AbortSignal): Promise<never> => {
  await aborted(signal);
  throw signal.reason;
};

test('gives the result and leaves no timer', async () => {
  const clock = fakeClock();
  assert.equal(await withDeadline(clock, 1000, undefined, async () => 7), 7);
  assert.equal(clock.pending, 0);
});

test('aborts with a DeadlineError when time is up', async () => {
  const clock = fakeClock();
  const late = assert.rejects(withDeadline(clock, 1000, undefined, untilAborted), DeadlineError);
  await clock.advance(1000);
  await late;
});

test('aborts with the reason of its parent, even of one that aborted before', async () => {
  const clock = fakeClock();
  const parent = new AbortController();
  const stopped = assert.rejects(withDeadline(clock, 1000, parent.signal, untilAborted), /stop/);
  parent.abort(new Error('stop'));
  await stopped;
  await assert.rejects(withDeadline(clock, 1000, parent.signal, untilAborted), /stop/);
  assert.equal(clock.pending, 0);
});
