import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace } from './pace.ts';

const never = new AbortController().signal;

async function seconds(action: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await action();
  return (performance.now() - started) / 1000;
}

test('bytes take their time, however they are split', async () => {
  for (const [parts, bytes] of [
    [1, 200_000],
    [100, 2000],
  ] as const) {
    const pace = createPace(1_000_000);
    const took = await seconds(async () => {
      for (let i = 0; i < parts; i++) await pace(bytes, never);
    });
    assert.ok(took > 0.18, `${took} s`);
  }
});

test('without a limit nothing waits', async () => {
  const pace = createPace(0);
  const took = await seconds(async () => {
    for (let i = 0; i < 1000; i++) await pace(1e12, never);
  });
  assert.ok(took < 5);
});

test('the signal ends a wait', async () => {
  const stop = new AbortController();
  const waiting = createPace(1)(1e6, stop.signal);
  stop.abort(new Error('stopped'));
  await assert.rejects(waiting, /stopped/);
  await assert.rejects(createPace(0)(1, stop.signal), /stopped/);
});
