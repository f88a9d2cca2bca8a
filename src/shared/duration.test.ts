import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from './duration.ts';

test('durations are read as Go reads them', () => {
  assert.equal(parseDuration('168h'), 604_800_000);
  assert.equal(parseDuration('1h30m'), 5_400_000);
  assert.equal(parseDuration('1.5s'), 1500);
  assert.equal(parseDuration('250ms'), 250);
  assert.equal(parseDuration('-2s'), -2000);
  assert.equal(parseDuration('0'), 0);
});

test('anything else is not a duration', () => {
  for (const text of ['', '10', 's', '1 h', '1d', 'h1', '1..5s']) assert.equal(parseDuration(text), undefined, text);
});
