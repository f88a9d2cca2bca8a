import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createByteCache } from './byte-cache.ts';
import { countedCache } from './counted-cache.ts';

test('what was not used for the longest time goes first', () => {
  const cache = createByteCache<number>(80);
  for (let key = 0; key < 8; key++) cache.set(`${key}`, key, 10);
  cache.get('0');
  cache.set('8', 8, 10);
  assert.equal(cache.get('1'), undefined);
  assert.equal(cache.get('0'), 0);
  assert.equal(cache.get('8'), 8);
});

test('an entry that would take more than an eighth is not kept, and the one that it replaces is dropped', () => {
  const cache = createByteCache<string>(80);
  cache.set('a', 'small', 10);
  cache.set('a', 'large', 11);
  assert.equal(cache.get('a'), undefined);
  assert.equal(cache.size, 0);
});

test('it never exceeds its budget and never gives a wrong value', () => {
  const step = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), bytes: fc.nat(20), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const cache = createByteCache<number>(100);
      const last = new Map<string, number>();
      for (const [index, { key, bytes, remove }] of steps.entries()) {
        if (remove) cache.delete(key);
        else cache.set(key, index, bytes);
        last.set(key, remove ? -1 : index);
        assert.ok(cache.size <= 100 && cache.size >= 0);
        for (const [key, value] of last) assert.ok([undefined, value].includes(cache.get(key)));
      }
    }),
  );
});

test('looks are counted, with whether there was something', () => {
  const looks: boolean[] = [];
  const cache = countedCache(createByteCache<string>(100), (hit) => void looks.push(hit));
  cache.set('a', 'x', 1);
  assert.equal(cache.get('a'), 'x');
  cache.delete('a');
  assert.equal(cache.get('a'), undefined);
  assert.equal(cache.size, 0);
  assert.deepEqual(looks, [true, false]);
});
