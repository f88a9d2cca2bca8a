import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#shared/clock.ts';
import type { Mirror } from '#shared/node-mirrors.ts';
import { createChooser } from './chooser.ts';

const mirror: Mirror = {
  host: 'a:1',
  registry: { namespace: 'n', name: 'r', uid: 'u' },
  endpoints: ['http://x', 'http://y'],
};

/** A chooser, and the answers of the next probes of `http://x`; `http://y` is always silent. */
function chooserWith(answers: boolean[]) {
  let asked = 0;
  const probe = async (endpoint: string): Promise<string | undefined> => {
    if (endpoint === 'http://y') return 'silent';
    asked++;
    return answers.shift() ? undefined : 'refused';
  };
  const { signal } = new AbortController();
  const choose = createChooser({ probe, clock: systemClock, doubtMs: 1 });
  return { asked: () => asked, run: () => choose([mirror], new Map([['a:1', 'http://y']]), signal) };
}

test('what answers is chosen; else what was there stays, with the causes', async () => {
  const { run } = chooserWith([true]);
  assert.deepEqual(await run(), { endpoints: new Map([['a:1', 'http://x']]), unreachable: new Map() });
  const silent = chooserWith([]);
  assert.deepEqual(await silent.run(), {
    endpoints: new Map([['a:1', 'http://y']]),
    unreachable: new Map([['a:1', 'http://x: refused; http://y: silent']]),
  });
});

test('what answered last time is asked twice before it counts as silent', async () => {
  const { asked, run } = chooserWith([true, false, true, false, false, false]);
  const sizes: number[] = [];
  for (let round = 0; round < 4; round++) sizes.push((await run()).unreachable.size);
  assert.deepEqual(sizes, [0, 0, 1, 1]);
  assert.equal(asked(), 6);
});
