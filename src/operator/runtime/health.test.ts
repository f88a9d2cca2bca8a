import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerChecks, type Check } from './health.ts';

test('all well', () => {
  const checks = new Map<string, Check>([['ping', () => undefined]]);
  assert.deepEqual(answerChecks(checks), { status: 200, body: '[+] ping ok\nok\n' });
});

test('one that failed says why', () => {
  const checks = new Map<string, Check>([
    ['ping', () => undefined],
    ['watch of Pod', () => 'silent for 700 s'],
  ]);
  const body = '[+] ping ok\n[-] watch of Pod: silent for 700 s\nfailed\n';
  assert.deepEqual(answerChecks(checks), { status: 503, body });
});
