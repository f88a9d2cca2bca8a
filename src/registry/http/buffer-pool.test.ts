import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBufferPool } from './buffer-pool.ts';

const options = { bigBytes: 4096, bigCount: 2, smallBytes: 64 };

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
  pool.release(small);
  assert.notEqual(pool.acquire(), small);
  pool.release(big);
  assert.equal(pool.acquire(), big);
});

test('only who is alone gets a spare one', () => {
  const pool = createBufferPool(options);
  const mine = pool.acquire();
  const spare = pool.acquireSpare();
  assert.ok(spare);
  assert.equal(pool.acquireSpare(), undefined);
  const other = pool.acquire();
  pool.release(mine);
  assert.equal(pool.acquireSpare(), undefined);
  pool.release(other);
  assert.equal(pool.acquireSpare(), mine);
});
