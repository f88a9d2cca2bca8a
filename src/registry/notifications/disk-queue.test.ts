import assert from 'node:assert/strict';
import { appendFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createLogger } from '#shared/logger.ts';
import { eventually } from '#test/support/eventually.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { openDiskQueue } from './disk-queue.ts';
import type { EventQueue } from './event-queue.ts';
import { createMemoryQueue } from './memory-queue.ts';

const never = new AbortController().signal;
const over = AbortSignal.abort();
const logger = createLogger({ level: 'silent' });

function openAt(folder: string, maxBytes = 1 << 20, onDrop: (lines: number) => void = () => assert.fail('dropped')) {
  return openDiskQueue({ folder, maxBytes, onDrop, logger });
}

async function take(queue: EventQueue): Promise<string> {
  const next = await queue.next(never);
  assert.ok(next);
  next.acknowledge();
  return next.line;
}

test('lines come back in order, each until it is acknowledged', async (t) => {
  const queue = await openAt(await temporaryFolder(t));
  await Promise.all(['one', 'two', 'drei ü'].map((line) => queue.append(line)));
  assert.equal((await queue.next(never))?.line, 'one');
  assert.deepEqual([await take(queue), await take(queue), queue.pending], ['one', 'two', 1]);
  await queue.append('four');
  assert.deepEqual([await take(queue), await take(queue), queue.pending], ['drei ü', 'four', 0]);
  await queue.close();
});

test('who waits for a line gets the next one, or nothing when he gives up', async (t) => {
  const queue = await openAt(await temporaryFolder(t));
  const waiting = queue.next(never);
  await queue.append('late');
  assert.equal((await waiting)?.line, 'late');
  assert.equal(await queue.next(over), undefined);
  await queue.close();
});

test('what was not acknowledged is there after a restart, and nothing else', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openAt(folder);
  for (const line of ['one', 'two', 'three']) await first.append(line);
  await take(first);
  await first.close();
  const second = await openAt(folder);
  assert.equal(second.pending, 2);
  await second.append('four');
  assert.deepEqual([await take(second), await take(second), await take(second)], ['two', 'three', 'four']);
  await second.close();
  const third = await openAt(folder);
  assert.equal(third.pending, 0);
  await third.close();
});

test('without its cursor a queue begins anew: twice rather than never', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openAt(folder);
  for (const line of ['one', 'two']) await first.append(line);
  await take(first);
  await first.close();
  await writeFile(join(folder, 'cursor'), '');
  const second = await openAt(folder);
  assert.deepEqual([await take(second), await take(second)], ['one', 'two']);
  await second.close();
});

test('events whose file has been removed or cut are given up, and those after it come', async (t) => {
  const folder = await temporaryFolder(t);
  const options = { folder, maxBytes: 1 << 20, segmentBytes: 10, onDrop: () => assert.fail('dropped'), logger };
  const queue = await openDiskQueue(options);
  for (const line of ['removed', 'and this', 'cut short', 'this is', 'whole']) await queue.append(line);
  const [removed = '', cut = ''] = (await readdir(folder)).filter((name) => name.endsWith('.events')).toSorted();
  await rm(join(folder, removed));
  await truncate(join(folder, cut), 0);
  for (const _ of [removed, cut]) await assert.rejects(queue.next(never), /events are lost/);
  assert.deepEqual([await take(queue), await take(queue), queue.pending], ['this is', 'whole', 0]);
  await queue.close();
});

test('a line that was cut short is cut off, and later ones are whole', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await openAt(folder);
  await first.append('one');
  await first.close();
  const [segment = ''] = (await readdir(folder)).filter((name) => name.endsWith('.events'));
  await appendFile(join(folder, segment), '{"half');
  const second = await openAt(folder);
  await second.append('two');
  assert.deepEqual([await take(second), await take(second), second.pending], ['one', 'two', 0]);
  await second.close();
});

test('a full queue drops its oldest lines, counts them, and stays below its size', async (t) => {
  const folder = await temporaryFolder(t);
  let dropped = 0;
  const queue = await openAt(folder, 8000, (lines) => (dropped += lines));
  for (let i = 0; i < 300; i++) await queue.append(`${i}`.padStart(99, '0'));
  assert.equal(dropped + queue.pending, 300);
  assert.ok(queue.pending >= 60 && queue.pending <= 80, `${queue.pending}`);
  assert.equal(Number(await take(queue)), dropped);
  await queue.close();
});

test('while the disk takes nothing, what nobody waits for is bounded in memory too', async (t) => {
  const disk = Promise.withResolvers<boolean>();
  let dropped = 0;
  const queue = await openDiskQueue({
    folder: await temporaryFolder(t),
    maxBytes: 10_000,
    onDrop: (lines) => (dropped += lines),
    isHeld: () => disk.promise, // asked by each write, which hangs until it is told
    logger,
  });
  const lines = Array.from({ length: 500 }, (_, number) => `${number}`.padStart(100, '.'));
  const appended = lines.map((line) => queue.append(line));
  const change = queue.append('change', { synced: true });
  assert.equal(dropped, 400);
  disk.resolve(true);
  await Promise.all([...appended, change]);
  const kept = [];
  while (queue.pending > 0) kept.push(await take(queue));
  assert.deepEqual(kept, [...lines.slice(0, 100), 'change']);
  await queue.append('later');
  assert.equal(await take(queue), 'later');
  await queue.close();
});

test('a line that is dropped while it is delivered is not acknowledged in the place of another', async (t) => {
  const queue = await openAt(await temporaryFolder(t), 800, () => undefined);
  await queue.append('a'.repeat(99));
  const held = await queue.next(never);
  for (let i = 0; i < 20; i++) await queue.append(`${i}`.padStart(99, '0'));
  const before = queue.pending;
  held?.acknowledge();
  assert.equal(queue.pending, before);
  assert.notEqual(await take(queue), held?.line);
  await queue.close();
});

test('delivered segments are removed', async (t) => {
  const folder = await temporaryFolder(t);
  const queue = await openAt(folder, 8000);
  for (let i = 0; i < 60; i++) await queue.append(`${i}`.padStart(99, '0'));
  for (let i = 0; i < 60; i++) assert.equal(Number(await take(queue)), i);
  // The last one by who waits for the next line; the cursor is written in the background, by a file of its own.
  await queue.next(AbortSignal.timeout(50));
  await eventually(async () => assert.ok((await readdir(folder)).length <= 2));
  await queue.close();
});

test('any order of appends, deliveries and restarts gives every line once and in order', async (t) => {
  const root = await temporaryFolder(t);
  let folders = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('append', 'append', 'take', 'reopen'), { maxLength: 60 }),
      async (steps) => {
        const folder = join(root, `${folders++}`);
        const open = () =>
          openDiskQueue({
            folder,
            maxBytes: 1 << 20,
            segmentBytes: 64,
            onDrop: () => assert.fail('dropped'),
            logger,
          });
        let queue = await open();
        let appended = 0;
        let taken = 0;
        for (const step of steps) {
          if (step === 'append') await queue.append(`line ${appended++}`);
          else if (step === 'take' && queue.pending > 0) assert.equal(await take(queue), `line ${taken++}`);
          else if (step === 'reopen') {
            await queue.close();
            queue = await open();
          }
          assert.equal(queue.pending, appended - taken);
        }
        await queue.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('the queue in memory keeps to the same rules', async () => {
  let dropped = 0;
  const queue = createMemoryQueue({ maxBytes: 10, onDrop: (lines) => (dropped += lines) });
  for (const line of ['aaaa', 'bbbb', 'cccc']) await queue.append(line);
  assert.deepEqual([dropped, queue.pending], [1, 2]);
  assert.deepEqual([await take(queue), await take(queue), queue.pending], ['bbbb', 'cccc', 0]);
  assert.equal(await queue.next(over), undefined);
});
