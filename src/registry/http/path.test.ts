import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodedPath, parsePath, type Endpoint } from './path.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const paths: [path: string, endpoint: Endpoint, name: string, subject: string][] = [
  ['', 'base', '', ''],
  ['_catalog', 'catalog', '', ''],
  ['a/manifests/latest', 'manifest', 'a', 'latest'],
  ['a/b/c/manifests/1', 'manifest', 'a/b/c', '1'],
  [`a/blobs/${digest}`, 'blob', 'a', digest],
  ['a/blobs/uploads/', 'uploads', 'a', ''],
  ['a/blobs/uploads', 'uploads', 'a', ''],
  ['a/blobs/uploads/x-y', 'upload', 'a', 'x-y'],
  ['a/tags/list', 'tags', 'a', ''],
  [`a/referrers/${digest}`, 'referrers', 'a', digest],
  ['a/tags/list/tags/list', 'tags', 'a/tags/list', ''],
  ['a/manifests/manifests/x', 'manifest', 'a/manifests', 'x'],
  ['a/blobs/uploads/manifests/x', 'manifest', 'a/blobs/uploads', 'x'],
  ['a/blobs/uploads/blobs/uploads/x', 'upload', 'a/blobs/uploads', 'x'],
  ['uploads/blobs/uploads/', 'uploads', 'uploads', ''],
];

for (const [path, endpoint, name, subject] of paths) {
  test(`/v2/${path}`, () => assert.deepEqual(parsePath(path), { endpoint, name, subject }));
}

test('anything else is no endpoint', () => {
  for (const path of [
    'a',
    'a/',
    '/',
    '//',
    'a/tags',
    'a/tags/',
    'a/tags/x',
    'tags/list',
    'manifests/x',
    'a/uploads/x',
  ]) {
    assert.equal(parsePath(path), undefined, path);
  }
});

test('no path makes the reader throw', () => {
  const word = fc.constantFrom(
    'a',
    'manifests',
    'blobs',
    'uploads',
    'tags',
    'list',
    'referrers',
    '',
    '..',
    '%2e',
    '_catalog',
  );
  fc.assert(fc.property(fc.array(word), (words) => void parsePath(words.join('/'))));
  fc.assert(fc.property(fc.string(), (text) => void parsePath(text)));
});

test('a path is decoded once', () => {
  assert.equal(decodedPath('/v2/a/blobs/sha256%3Aab?x=%zz'), '/v2/a/blobs/sha256:ab');
  assert.equal(decodedPath('/v2/%252e'), '/v2/%2e');
  assert.equal(decodedPath('/v2/%zz'), undefined);
});
