import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SortedNames } from './sorted-names.ts';

const name = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '/', '-', '.', '_', '0'), maxLength: 4 });

/** The naive model: a set, sorted for every page. */
function modelPage(names: Set<string>, after: string | undefined, limit: number) {
  const all = [...names].sort().filter((name) => after === undefined || name > after);
  return { entries: all.slice(0, limit), more: all.length > limit };
}

test('adding, deleting and paging agree with a naive model', () => {
  const step = fc.record({ name, remove: fc.boolean() });
  const after = fc.option(name, { nil: undefined });
  fc.assert(
    fc.property(fc.array(step), after, fc.nat(10), (steps, after, limit) => {
      const names = new SortedNames();
      const model = new Set<string>();
      for (const { name, remove } of steps) {
        if (remove) assert.equal(names.delete(name), model.delete(name));
        else assert.equal(names.add(name), !model.has(name) && model.add(name).has(name));
        assert.equal(names.has(name), model.has(name));
      }
      assert.equal(names.size, model.size);
      const page = names.page(after === undefined ? { limit } : { after, limit });
      assert.deepEqual({ entries: page.entries, more: page.more }, modelPage(model, after, limit));
    }),
  );
});

test('following the pages shows every name once', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 40 }), fc.integer({ min: 1, max: 7 }), (all, limit) => {
      const names = new SortedNames();
      names.replace(all);
      const seen: string[] = [];
      for (let page = names.page({ limit }); ; page = names.page({ after: seen.at(-1)!, limit })) {
        seen.push(...page.entries);
        if (!page.more) break;
      }
      assert.deepEqual(seen, all.toSorted());
    }),
  );
});

test('a page of nothing says whether there is something', () => {
  const names = new SortedNames();
  const more = (limit: number) => names.page({ limit }).more;
  assert.equal(more(0), false);
  names.add('a');
  assert.equal(more(0), true);
  assert.equal(more(1), false);
});

test('the version changes with the names and with nothing else', () => {
  const names = new SortedNames();
  const version = () => names.page({ limit: 1 }).version;
  const changes = (change: () => void) => {
    const before = version();
    change();
    return version() !== before;
  };
  assert.ok(changes(() => names.add('a')));
  assert.ok(!changes(() => names.add('a')));
  assert.ok(!changes(() => names.delete('b')));
  assert.ok(changes(() => names.delete('a')));
  assert.ok(changes(() => names.replace(['a'])));
});
