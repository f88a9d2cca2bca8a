import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isRepositoryName, isTag, maxNameLength, parseReference } from './reference.ts';

test('repository names follow the grammar of the spec', () => {
  for (const name of [
    'a',
    'library/busybox',
    'a/b/c/d',
    'a.b',
    'a_b',
    'a__b',
    'a-b',
    'a---b',
    '0/9',
    'a'.repeat(maxNameLength),
  ]) {
    assert.ok(isRepositoryName(name), name);
  }
  const bad = [
    '',
    '/',
    'a/',
    '/a',
    'a//b',
    'A',
    'a.',
    '.a',
    '_a',
    'a_',
    'a___b',
    'a._b',
    '-a',
    'a b',
    'ä',
    '..',
    'a/../b',
    'a/_uploads',
  ];
  for (const name of [...bad, 'a\n', 'a\0', 'a'.repeat(maxNameLength + 1)]) assert.ok(!isRepositoryName(name), name);
});

test('no name leads out of the directory of repositories or into an internal one', () => {
  const unit = fc.constantFrom(...Array.from('ab/._-0A\0\n'));
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 12 }), (name) => {
      if (!isRepositoryName(name)) return;
      assert.ok(
        name.split('/').every((part) => /^[a-z0-9]/.test(part) && !part.includes('..')),
        name,
      );
    }),
    { numRuns: 2000 },
  );
});

test('a long name of almost matching characters is judged at once', () => {
  // Of this process: a machine that is held up takes longer.
  const started = process.cpuUsage();
  assert.ok(!isRepositoryName(`${'a-'.repeat(127)}_`));
  assert.ok(!isRepositoryName('a'.repeat(100_000)));
  const { user, system } = process.cpuUsage(started);
  assert.ok((user + system) / 1000 < 100);
});

test('tags', () => {
  for (const tag of ['latest', 'v1.0', '_x', '1', 'A-B_c.d', 't'.repeat(128)]) assert.ok(isTag(tag), tag);
  for (const tag of ['', '.x', '-x', 'a/b', 'a:b', 'a b', 'ä', '..', 't'.repeat(129), 'a\n'])
    assert.ok(!isTag(tag), tag);
});

test('a reference is a tag or a digest', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.deepEqual(parseReference('latest'), { kind: 'tag', tag: 'latest' });
  assert.deepEqual(parseReference(digest), { kind: 'digest', digest });
  assert.equal(parseReference('sha256:0'), undefined);
  assert.equal(parseReference(''), undefined);
});
