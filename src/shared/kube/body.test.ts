import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { fakeClock } from '#test/support/fake-clock.ts';
import { readLines, SilenceError } from './body.ts';

async function collect(stream: PassThrough): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(stream, fakeClock(), 1000)) lines.push(line);
  return lines;
}

test('lines come whole, wherever the network cut them, in the middle of a character too', async () => {
  const stream = new PassThrough();
  const bytes = Buffer.from('{"a":"ä"}\n{"b":"€"}\n\n{"c":1}\n');
  for (const byte of bytes) stream.write(Buffer.from([byte]));
  stream.end();
  assert.deepEqual(await collect(stream), ['{"a":"ä"}', '{"b":"€"}', '', '{"c":1}']);
});

test('several lines in one piece, and a last one that was cut', async () => {
  const stream = new PassThrough();
  stream.end('one\ntwo\nthr');
  assert.deepEqual(await collect(stream), ['one', 'two']);
});

test('silence ends the stream, for as long as it lasts', async () => {
  const clock = fakeClock();
  const stream = new PassThrough();
  const lines: string[] = [];
  const reading = (async () => {
    for await (const line of readLines(stream, clock, 1000)) lines.push(line);
  })();
  const silent = assert.rejects(reading, SilenceError);
  for (let i = 0; i < 5; i++) {
    await clock.advance(999);
    stream.write('still here\n');
  }
  await clock.advance(999);
  assert.equal(lines.length, 5);
  await clock.advance(1);
  await silent;
  assert.ok(stream.destroyed);
  assert.equal(clock.pending, 0);
});

test('a reader that leaves closes the stream', async () => {
  const clock = fakeClock();
  const stream = new PassThrough();
  stream.write('one\ntwo\n');
  for await (const line of readLines(stream, clock, 1000)) {
    assert.equal(line, 'one');
    break;
  }
  assert.ok(stream.destroyed);
  assert.equal(clock.pending, 0);
});
