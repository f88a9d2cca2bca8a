import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Digest } from '#registry/oci/digest.ts';
import { DigestTable } from './digest-table.ts';

/** Few slots are wanted by many, so that clusters form, wrap around and are torn open again. */
const crowded = fc
  .tuple(fc.constantFrom(0, 1, 2, 7, 0xfffffffe, 0xffffffff), fc.nat(5))
  .map(([home, rest]) => `sha256:${home.toString(16).padStart(8, '0')}${`${rest}`.repeat(56)}` as Digest);

test('it does what a Map does', () => {
  const step = fc.record({ digest: crowded, value: fc.nat(), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = new DigestTable();
      const model = new Map<Digest, number>();
      for (const { digest, value, remove } of steps) {
        assert.equal(remove ? table.delete(digest) : table.set(digest, value), model.get(digest));
        if (remove) model.delete(digest);
        else model.set(digest, value);
        assert.equal(table.size, model.size);
      }
      for (const { digest } of steps) assert.equal(table.get(digest), model.get(digest));
    }),
    { numRuns: 500 },
  );
});

test('an empty one has nothing', () => {
  const table = new DigestTable();
  const digest = `sha512:${'0'.repeat(128)}` as Digest;
  assert.deepEqual([table.get(digest), table.delete(digest), table.size], [undefined, undefined, 0]);
  assert.equal(table.set(digest, 0), undefined);
  assert.deepEqual([table.get(digest), table.size], [0, 1]);
});
