import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import { digestOf } from '#test/support/stored-content.ts';
import { createSubjectsMemory, type SubjectsMemory } from './repository-subjects.ts';

const subject = digestOf('subject');

function fill(memory: SubjectsMemory, repository: string, count: number): Digest[] {
  const manifests = Array.from({ length: count }, (_, number) => digestOf(`${repository} ${number}`));
  const subjects = memory.of(repository);
  for (const [number, manifest] of manifests.entries()) subjects.add(manifest, number % 10 ? undefined : subject);
  memory.trim();
  return manifests;
}

test('what points at a subject', () => {
  const memory = createSubjectsMemory(100);
  const manifests = fill(memory, 'a', 20);
  const subjects = memory.of('a');
  assert.deepEqual(subjects.pointingAt(subject), [manifests[0], manifests[10]]);
  assert.deepEqual(subjects.pointingAt(digestOf('other')), []);
  subjects.add(manifests[0] ?? subject, subject);
  assert.equal(subjects.pointingAt(subject).length, 2);
});

test('what is listed and was not read', () => {
  const memory = createSubjectsMemory(100);
  const manifests = fill(memory, 'a', 20);
  const subjects = memory.of('a');
  const unknown = digestOf('unknown');
  subjects.list({ digests: [...manifests, unknown], looks: undefined });
  assert.deepEqual(subjects.unread, [unknown]);
  assert.equal(subjects.size, 21);
  subjects.add(unknown, subject);
  assert.deepEqual(subjects.unread, []);
  assert.equal(subjects.pointingAt(subject).length, 3);
});

test('what is gone is forgotten when it is most of what was read', () => {
  const memory = createSubjectsMemory(10_000);
  const manifests = fill(memory, 'a', 3000);
  const subjects = memory.of('a');
  subjects.list({ digests: manifests.slice(1000), looks: undefined });
  assert.equal(subjects.size, 3000);
  assert.equal(subjects.pointingAt(subject).length, 300);
  subjects.list({ digests: manifests.slice(2990), looks: undefined });
  assert.equal(subjects.size, 10);
  assert.deepEqual(subjects.pointingAt(subject), [manifests[2990]]);
  assert.deepEqual(subjects.unread, []);
});

test('repositories are forgotten by their manifests, the one first that was asked about longest ago', () => {
  const memory = createSubjectsMemory(100);
  for (const name of ['a', 'b', 'c']) fill(memory, name, 30);
  const sizes = () => ['a', 'b', 'c', 'd'].map((name) => memory.of(name).size);
  assert.deepEqual(sizes(), [30, 30, 30, 0]);
  memory.of('a');
  fill(memory, 'd', 30);
  assert.deepEqual(sizes(), [30, 0, 30, 30]);
  fill(memory, 'large', 500);
  assert.deepEqual(sizes(), [0, 0, 0, 0]);
  assert.equal(memory.of('large').size, 500);
});

test('names that have nothing push nobody out', () => {
  const memory = createSubjectsMemory(100);
  fill(memory, 'a', 30);
  for (let number = 0; number < 10_000; number++) fill(memory, `absent-${number}`, 0);
  assert.equal(memory.of('a').size, 30);
});
