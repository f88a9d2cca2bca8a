import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkpointOf, createInterrupt, Interrupted, takingTurns } from './interrupt.ts';
import { run, settle, type Task } from './volume.ts';

test('work that blocks the only thread hears an interruption that comes while it runs', async () => {
  const interrupt = new AbortController();
  setImmediate(() => interrupt.abort());
  const checkpoint = takingTurns(interrupt.signal);
  function* endless(): Task<never> {
    for (;;) yield* settle(checkpoint());
  }
  await assert.rejects(run(endless()), Interrupted);
});

test('a raised flag stops work at its next checkpoint', () => {
  const { flag, raise } = createInterrupt();
  const checkpoint = checkpointOf(flag);
  checkpoint();
  raise();
  assert.throws(checkpoint, Interrupted);
});
