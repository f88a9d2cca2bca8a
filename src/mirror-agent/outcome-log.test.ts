import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { Outcome } from './certs-execute.ts';
import { createOutcomeLog } from './outcome-log.ts';

const wanted = { host: 'a:1', registry: { namespace: 'n', name: 'r', uid: 'u' }, endpoint: 'http://x' };
const kept: Outcome = { action: { kind: 'keep', directory: 'a:1', text: '', wanted } };
const written: Outcome = { action: { kind: 'write', directory: 'a:1', text: '', wanted } };
const failed: Outcome = { ...written, error: Object.assign(new Error('no room'), { code: 'ENOSPC' }) };
const obstacle = { kind: 'foreign', path: 'a:1/hosts.toml', what: 'a file' } as const;
const refused: Outcome = { action: { kind: 'refuse', wanted, obstacle } };

test('what was done is logged, what is the same as before is not, a problem is logged once', () => {
  const lines: string[] = [];
  const log = createOutcomeLog(pino({ base: {} }, { write: (line) => void lines.push(line) }));
  const said = (outcome: Outcome): string[] => {
    log([outcome]);
    return lines.splice(0).map((line) => (JSON.parse(line) as { msg: string }).msg);
  };
  assert.deepEqual(said(kept), []);
  assert.deepEqual(said(written), ['wrote hosts.toml']);
  assert.deepEqual(said(failed), ['could not write']);
  assert.deepEqual(said(failed), []);
  assert.deepEqual(said(refused), ['not ours: left alone']);
  assert.deepEqual(said(refused), []);
  assert.deepEqual(said(written), ['wrote hosts.toml']);
  assert.deepEqual(said(refused), ['not ours: left alone']);
});
