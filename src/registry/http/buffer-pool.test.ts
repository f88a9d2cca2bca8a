import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBufferPool } from './buffer-pool.ts';

const options = { bigBytes: 4096, bigCount: 2, smallBytes: 64, smallKept: 1 };

test('the buffer that was released last is used first', () => {
  const pool = createBufferPool(options);
  const [first, second] = [pool.acquire(), pool.acquire()];
  pool.release(first);
  pool.release(second);
  assert.equal(pool.acquire(), second);
  assert.equal(pool.acquire(), first);
});

test('when the big ones are in use there are small ones, until a big one comes back', () => {
  const pool = createBufferPool(options);
  const big = pool.acquire();
  pool.acquire();
  const small = pool.acquire();
  assert.equal(small.length, options.smallBytes);
  pool.release(big);
  assert.equal(pool.acquire(), big);
});

test('of the small ones few are kept', () => {
  const pool = createBufferPool(options);
  const [, , ...small] = Array.from({ length: 4 }, () => pool.acquire());
  assert.equal(pool.used, 4);
  for (const buffer of small) pool.release(buffer);
  assert.equal(pool.acquire(), small[0]);
  assert.ok(!small.includes(pool.acquire()));
});
