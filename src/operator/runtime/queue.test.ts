import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FakeClock, fakeClock } from '#test/support/fake-clock.ts';
import { Queue } from './queue.ts';
import type { Request } from './reconciler.ts';

const a: Request = { namespace: 'team', name: 'a' };
const b: Request = { namespace: 'team', name: 'b' };

function setUp(): { clock: FakeClock; queue: Queue } {
  const clock = fakeClock();
  return { clock, queue: new Queue({ clock }) };
}

test('a name waits once, however often it was added, and names come in order', async () => {
  const { queue } = setUp();
  for (const request of [a, b, a, b]) queue.add({ ...request });
  assert.equal(queue.depth, 2);
  assert.deepEqual(await queue.take(), a);
  assert.deepEqual(await queue.take(), b);
  assert.equal(queue.depth, 0);
});

test('a name is with one worker at a time; added meanwhile, it comes again afterwards, once', async () => {
  const { queue } = setUp();
  queue.add(a);
  await queue.take();
  queue.add(a);
  queue.add(a);
  queue.add(b);
  assert.deepEqual(await queue.take(), b);
  queue.done(a);
  assert.deepEqual(await queue.take(), a);
  queue.done(a);
  assert.equal(queue.depth, 0);
});

test('a worker that waits gets the next name at once', async () => {
  const { queue } = setUp();
  const taken = queue.take();
  queue.add(a);
  assert.deepEqual(await taken, a);
  assert.equal(queue.depth, 0);
});

test('of several delays the earliest counts', async () => {
  const { clock, queue } = setUp();
  queue.addAfter(a, 5000);
  queue.addAfter(a, 1000);
  queue.addAfter(a, 3000);
  await clock.advance(999);
  assert.equal(queue.depth, 0);
  await clock.advance(1);
  assert.equal(queue.depth, 1);
  assert.equal(clock.pending, 0);
});

test('failures of one name wait longer and longer, up to 30 s, until it is forgotten', () => {
  const { queue } = setUp();
  const pauses = Array.from({ length: 9 }, () => queue.addRateLimited(a));
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  assert.equal(queue.addRateLimited(b), 250);
  queue.forget(a);
  assert.equal(queue.addRateLimited(a), 250);
});

test('a pause that the server asked for is kept', () => {
  const { queue } = setUp();
  assert.equal(queue.addRateLimited(a, 7000), 7000);
});

test('many names that fail together share one pace', () => {
  const clock = fakeClock();
  const queue = new Queue({ clock, bucket: { perSecond: 1, burst: 2 } });
  const pauses = ['1', '2', '3', '4'].map((name) => queue.addRateLimited({ namespace: '', name }));
  assert.deepEqual(pauses, [250, 250, 1000, 2000]);
});

test('a shutdown drops what waits, ends the waiting and takes nothing in', async () => {
  const { clock, queue } = setUp();
  queue.add(a);
  await queue.take();
  const waiting = queue.take();
  queue.addAfter(b, 1000);
  queue.add(a);
  queue.shutdown();
  assert.equal(await waiting, undefined);
  queue.done(a);
  queue.add(b);
  await clock.advance(5000);
  assert.equal(queue.depth, 0);
  assert.equal(await queue.take(), undefined);
});

test('observers hear of waiting and working times in seconds', async () => {
  const clock = fakeClock();
  const heard: [string, number?][] = [];
  const observer = {
    onAdd: () => heard.push(['add']),
    onRetry: () => heard.push(['retry']),
    onTaken: (seconds: number) => heard.push(['taken', seconds]),
    onDone: (seconds: number) => heard.push(['done', seconds]),
  };
  const queue = new Queue({ clock, observer });
  queue.add(a);
  await clock.advance(1500);
  await queue.take();
  await clock.advance(500);
  assert.deepEqual(queue.unfinished, [0.5]);
  queue.done(a);
  assert.deepEqual(heard, [['add'], ['taken', 1.5], ['done', 0.5]]);
});
