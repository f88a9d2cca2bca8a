import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseContentRange, parseRange } from './range.ts';

const ranges: [header: string, size: number, expected: ReturnType<typeof parseRange>][] = [
  ['bytes=0-0', 10, { start: 0, end: 0 }],
  ['bytes=2-4', 10, { start: 2, end: 4 }],
  ['bytes=2-', 10, { start: 2, end: 9 }],
  ['bytes=2-99', 10, { start: 2, end: 9 }],
  ['bytes=-3', 10, { start: 7, end: 9 }],
  ['bytes=-99', 10, { start: 0, end: 9 }],
  ['Bytes= 2-4 ', 10, { start: 2, end: 4 }],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=5-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=-5', 0, 'unsatisfiable'],
  ['bytes=99999999999999999999-', 10, 'unsatisfiable'],
  ['bytes=0-99999999999999999999', 10, { start: 0, end: 9 }],
  ['bytes=0-1,3-4', 10, undefined],
  ['bytes=-', 10, undefined],
  ['bytes=a-b', 10, undefined],
  ['bytes 0-1', 10, undefined],
  ['lines=0-1', 10, undefined],
  ['', 10, undefined],
];

for (const [header, size, expected] of ranges) {
  test(`"${header}" of ${size} bytes`, () => assert.deepEqual(parseRange(header, size), expected));
}

test('a range that is given is inside of the content', () => {
  const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d*-\d*$/));
  const property = fc.property(header, fc.nat(), (text, size) => {
    const range = parseRange(text, size);
    if (range === undefined || range === 'unsatisfiable') return;
    assert.ok(0 <= range.start && range.start <= range.end && range.end < size);
  });
  fc.assert(property, { numRuns: 2000 });
});

test('the range of an uploaded chunk', () => {
  assert.deepEqual(parseContentRange('0-9'), { start: 0, end: 9 });
  assert.deepEqual(parseContentRange('bytes 5-9/20'), { start: 5, end: 9 });
  assert.deepEqual(parseContentRange('bytes 5-9/*'), { start: 5, end: 9 });
  for (const bad of ['', '5', '9-5', '-5', 'bytes', 'a-b', '1-2-3', '0-99999999999999999999']) {
    assert.equal(parseContentRange(bad), undefined, bad);
  }
});
