import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#test/support/eventually.ts';
import { startHealth, type HealthCheck } from './health.ts';

function check(run: HealthCheck['run'], threshold = 1): HealthCheck {
  return { name: 'disk', intervalMs: 1, threshold, run };
}

test('a check counts after as many failures in a row as its threshold says, and heals at once', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  let runs = 0;
  let broken = true;
  const run = async () => {
    runs++;
    if (broken) throw new Error('gone');
  };
  const health = startHealth([check(run, 3)], stop.signal);
  await eventually(() => {
    assert.deepEqual(health.failures(), { disk: 'gone' });
  });
  assert.ok(runs >= 3);
  assert.throws(health.assert, { code: 'UNAVAILABLE' });
  broken = false;
  await eventually(() => assert.deepEqual(health.failures(), {}));
  health.assert();
});

test('without checks all is well', () => {
  startHealth([], new AbortController().signal).assert();
});

test('a check that hangs is run once', async (t) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  let hanging = 0;
  let others = 0;
  const hang = check(async () => {
    hanging++;
    await new Promise(() => undefined);
  });
  const other = check(async () => void others++);
  startHealth([hang, { ...other, name: 'other' }], stop.signal);
  await eventually(() => assert.ok(others > 5));
  assert.equal(hanging, 1);
});
