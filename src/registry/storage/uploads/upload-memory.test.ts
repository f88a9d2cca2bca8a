import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#test/support/eventually.ts';
import { createUploadMemory, type UploadMemory } from './upload-memory.ts';
import { pump } from './upload-pump.ts';

const piece = Buffer.alloc(64 * 1024);
const limit = 1024 * 1024;

function upload(memory: UploadMemory, count: number, write: () => Promise<void>): Promise<void> {
  const source = (async function* () {
    for (let i = 0; i < count; i++) yield piece;
  })();
  const target = { writesAtOnce: 1, write, sync: async () => {} };
  return pump(source, { target, memory, see: () => {}, lost: () => {} });
}

test('a hundred uploads on a disk that stalls hold the limit and a piece each, and all end when it goes on', async () => {
  const memory = createUploadMemory(limit);
  const gate = Promise.withResolvers<void>();
  let most = 0;
  const write = async () => {
    most = Math.max(most, memory.held);
    await gate.promise;
  };
  const uploads = Array.from({ length: 100 }, () => upload(memory, 40, write));
  await eventually(() => assert.ok(memory.isFull));
  gate.resolve();
  await Promise.all(uploads);
  assert.ok(most >= limit && most <= limit + 100 * piece.byteLength, `${most} bytes held`);
  assert.equal(memory.held, 0);
});

test('clients that send nothing keep nobody out', async () => {
  const memory = createUploadMemory(limit);
  memory.take(limit);
  const order: number[] = [];
  const waiting = Array.from({ length: 50 }, (_, index) => memory.room().then(() => order.push(index)));
  memory.give(piece.byteLength);
  await eventually(() => assert.deepEqual(order, [0]));
  memory.give(limit - piece.byteLength);
  await Promise.all(waiting);
  assert.deepEqual(order, [...waiting.keys()]);
});
