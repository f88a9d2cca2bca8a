import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '#test/support/eventually.ts';
import { pieces } from '#test/support/stored-content.ts';
import type { FileWriter } from '#registry/storage/driver.ts';
import { pump } from './upload-pump.ts';

function memoryWriter(write?: () => Promise<void>) {
  const written: Buffer[] = [];
  let writing = false;
  const writer: FileWriter = {
    size: 0,
    async write(chunks) {
      assert.ok(!writing, 'one write at a time');
      writing = true;
      await write?.();
      written.push(Buffer.concat(chunks));
      writing = false;
    },
    sync: async () => {},
    close: async () => {},
  };
  return { writer, written };
}

test('all bytes are written in order, many chunks at a time, and each is seen once', async () => {
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 249));
  const { writer, written } = memoryWriter(() => new Promise((resolve) => setImmediate(resolve)));
  const seen: Uint8Array[] = [];
  await pump(pieces(bytes), writer, (chunk) => seen.push(chunk));
  assert.deepEqual(Buffer.concat(written), bytes);
  assert.deepEqual(Buffer.concat(seen), bytes);
  assert.ok(written.length <= 8, `${written.length} writes`);
});

test('a slow source is written before it goes on', async () => {
  const { writer, written } = memoryWriter();
  const gate = Promise.withResolvers<void>();
  const pumping = pump(
    (async function* () {
      yield Buffer.from('little');
      await gate.promise;
    })(),
    writer,
    () => {},
  );
  await eventually(() => assert.equal(Buffer.concat(written).toString(), 'little'));
  gate.resolve();
  await pumping;
});

test('a write that fails ends a source that goes on and on', async () => {
  const { writer } = memoryWriter(() => Promise.reject(new Error('disk')));
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
  await assert.rejects(
    pump(endless, writer, () => {}),
    /disk/,
  );
  assert.ok(ended);
});
