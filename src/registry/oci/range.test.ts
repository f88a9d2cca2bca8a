import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { maxRanges, parseContentRange, parseRanges, type ByteRange } from './range.ts';

const ranges: [header: string, size: number, expected: ByteRange | ReturnType<typeof parseRanges>][] = [
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
  ['bytes=0-1,3-4', 10, [range(0, 1), range(3, 4)]],
  ['bytes= 7- ,\t0-1,', 10, [range(7, 9), range(0, 1)]],
  ['bytes=0-1,-2', 10, [range(0, 1), range(8, 9)]],
  ['bytes=0-1,20-30', 10, [range(0, 1)]],
  ['bytes=20-30,-0', 10, 'unsatisfiable'],
  ['bytes=0-5,5-6', 10, undefined],
  ['bytes=0-,-1', 10, undefined],
  ['bytes=0-1,x', 10, undefined],
  ['bytes=0 - 1', 10, undefined],
  ['bytes=,', 10, undefined],
  [every(maxRanges), 1000, Array.from({ length: maxRanges }, (_, i) => range(2 * i, 2 * i))],
  [every(maxRanges + 1), 1000, undefined],
  ['bytes=-', 10, undefined],
  ['bytes=a-b', 10, undefined],
  ['bytes 0-1', 10, undefined],
  ['lines=0-1', 10, undefined],
  ['', 10, undefined],
];

function range(start: number, end: number): ByteRange {
  return { start, end };
}

/** `count` bytes, each other one. */
function every(count: number): string {
  return `bytes=${Array.from({ length: count }, (_, i) => `${2 * i}-${2 * i}`).join()}`;
}

for (const [header, size, expected] of ranges) {
  const list = typeof expected === 'object' && 'start' in expected ? [expected] : expected;
  test(`"${header.slice(0, 40)}" of ${size} bytes`, () => assert.deepEqual(parseRanges(header, size), list));
}

test('ranges that are given are inside of the content, and no longer than it', () => {
  const header = fc.oneof(fc.string(), fc.stringMatching(/^bytes=\d*-\d*(, ?\d*-\d*){0,3}$/));
  const property = fc.property(header, fc.nat(), (text, size) => {
    const ranges = parseRanges(text, size);
    if (ranges === undefined || ranges === 'unsatisfiable') return;
    assert.ok(ranges.every(({ start, end }) => 0 <= start && start <= end && end < size));
    assert.ok(ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0) <= size);
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
