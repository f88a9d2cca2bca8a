import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#test/support/eventually.ts';
import { pieces } from '#test/support/stored-content.ts';
import { createUploadMemory, type UploadMemory } from './upload-memory.ts';
import { pump, type Target } from './upload-pump.ts';

function memoryTarget(write?: () => Promise<void>) {
  const written: Buffer[] = [];
  let writing = false;
  const target: Target = {
    writesAtOnce: 1,
    async write({ chunks }) {
      assert.ok(!writing, 'one write at a time');
      writing = true;
      await write?.();
      written.push(Buffer.concat(chunks));
      writing = false;
    },
    sync: async () => {},
  };
  return { target, written };
}

function options(target: Target, memory: UploadMemory = createUploadMemory(), seen: Uint8Array[] = []) {
  return { target, memory, see: (chunk: Uint8Array) => void seen.push(chunk), lost: () => {} };
}

test('all bytes are written in order, many chunks at a time, and each is seen once', async () => {
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 249));
  const { target, written } = memoryTarget(() => new Promise((resolve) => setImmediate(resolve)));
  const seen: Uint8Array[] = [];
  const memory = createUploadMemory();
  await pump(pieces(bytes), options(target, memory, seen));
  assert.deepEqual(Buffer.concat(written), bytes);
  assert.deepEqual(Buffer.concat(seen), bytes);
  assert.ok(written.length <= 8, `${written.length} writes`);
  assert.equal(memory.held, 0);
});

test('a slow source is written before it goes on', async () => {
  const { target, written } = memoryTarget();
  const gate = Promise.withResolvers<void>();
  const pumping = pump(
    (async function* () {
      yield Buffer.from('little');
      await gate.promise;
    })(),
    options(target),
  );
  await eventually(() => assert.equal(Buffer.concat(written).toString(), 'little'));
  gate.resolve();
  await pumping;
});

test('a write that fails ends a source that goes on and on', async () => {
  const { target } = memoryTarget(() => Promise.reject(new Error('disk')));
  const memory = createUploadMemory();
  let ended = false;
  const endless = (async function* () {
    try {
      for (;;) {
        yield Buffer.alloc(100_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      ended = true;
    }
  })();
  await assert.rejects(pump(endless, options(target, memory)), /disk/);
  assert.ok(ended);
  assert.equal(memory.held, 0);
});
