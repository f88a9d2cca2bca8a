import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reach } from './reachability.ts';
import { addRemoved, nothingRemoved } from './sweep.ts';

/** More than a call takes arguments. */
const many = Array.from({ length: 200_000 }, (_, i) => `sha256:${i}`);

test('a volume on which nothing can be removed any more is reported, however many blobs it has', () => {
  const problems = many.map((subject) => ({ subject, message: "it can't be removed: EROFS" }));
  const sum = nothingRemoved();
  addRemoved(sum, { ...nothingRemoved(), problems });
  assert.equal(sum.problems.length, many.length);
});

test('a subject keeps its referrers, however many there are', () => {
  const manifests = new Map(many.map((digest) => [digest, { manifests: [], blobs: [], subject: 'sha256:subject' }]));
  const live = reach({ manifests, tags: new Map() }, ['sha256:subject']);
  assert.equal(live.size, many.length + 1);
});
