import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, parseQuantity } from './quantity.ts';

test('quantities are read as the API server reads them', () => {
  assert.equal(parseQuantity('10Gi'), 10 * 2 ** 30);
  assert.equal(parseQuantity('1.5Ki'), 1536);
  assert.equal(parseQuantity('500m'), 0.5);
  assert.equal(parseQuantity('1e3'), 1000);
  assert.equal(parseQuantity('2E'), 2e18);
  assert.equal(parseQuantity(7), 7);
  for (const text of ['', 'Gi', '1 Gi', '1GiB', '0x1']) assert.ok(Number.isNaN(parseQuantity(text)), text);
});

test('bytes are written in three digits, and as a quantity', () => {
  assert.equal(formatBytes(0), '0');
  assert.equal(formatBytes(999), '999');
  assert.equal(formatBytes(1000), '0.977Ki');
  assert.equal(formatBytes(1024), '1Ki');
  assert.equal(formatBytes(1023.9 * 1024), '1Mi');
  assert.equal(formatBytes(10_245_678_901), '9.54Gi');
  assert.ok(parseQuantity(formatBytes(123_456_789)) > 0);
});
