import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from './kube-client.ts';
import { mergedCache } from './merged-cache.ts';
import { createObjectStore, type ObjectStore } from './object-store.ts';

function object(name: string, resourceVersion: string, uid = name): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'team', uid, resourceVersion } };
}

function setUp(): { store: ObjectStore<KubeObject>; heard: string[] } {
  const store = createObjectStore<KubeObject>((error) => heard.push(`threw ${String(error)}`));
  const heard: string[] = [];
  store.onChange(({ metadata }, { type, previous }) => {
    const before = previous ? ` after ${previous.metadata.resourceVersion}` : '';
    heard.push(`${type} ${metadata.name} ${metadata.resourceVersion}${before}`);
  });
  return { store, heard };
}

test('what appears, changes and goes is told, with what it was before', () => {
  const { store, heard } = setUp();
  store.put(object('a', '1'));
  store.put(object('a', '2'));
  store.put(object('a', '2'));
  store.delete(object('a', '3'));
  store.delete(object('a', '3'));
  assert.deepEqual(heard, ['added a 1', 'updated a 2 after 1', 'removed a 3']);
});

test('a list removes what it lacks and tells only of what changed', () => {
  const { store, heard } = setUp();
  for (const name of ['a', 'b', 'c']) store.put(object(name, '1'));
  heard.length = 0;
  store.replaceAll([object('b', '1'), object('c', '2'), object('d', '3')]);
  assert.deepEqual(heard, ['removed a 1', 'updated c 2 after 1', 'added d 3']);
  assert.equal(store.size, 3);
  assert.equal(store.get({ namespace: 'team', name: 'a' }), undefined);
});

test('an object that was made anew is one that went and one that came', () => {
  const { store, heard } = setUp();
  store.put(object('a', '1', 'first'));
  store.replaceAll([object('a', '5', 'second')]);
  assert.deepEqual(heard, ['added a 1', 'removed a 1', 'added a 5']);
  assert.equal(store.get({ namespace: 'team', name: 'a' })?.metadata.uid, 'second');
});

test('a handler that throws keeps nothing from the others; one that left hears no more', () => {
  const { store, heard } = setUp();
  store.onChange(() => {
    throw new Error('oops');
  });
  const late: string[] = [];
  const leave = store.onChange(({ metadata }) => late.push(metadata.name));
  store.put(object('a', '1'));
  leave();
  store.put(object('b', '1'));
  assert.deepEqual(heard, ['added a 1', 'threw Error: oops', 'added b 1', 'threw Error: oops']);
  assert.deepEqual(late, ['a']);
});

test('a resync tells of everything', () => {
  const { store, heard } = setUp();
  store.replaceAll([object('a', '1'), object('b', '1')]);
  heard.length = 0;
  store.resync();
  assert.deepEqual(heard, ['resynced a 1', 'resynced b 1']);
});

test('caches of several namespaces are one', () => {
  const parts = [setUp().store, setUp().store];
  const cache = mergedCache(parts);
  const heard: string[] = [];
  const leave = cache.onChange(({ metadata }) => heard.push(metadata.name));
  parts[0]?.put(object('a', '1'));
  parts[1]?.put(object('b', '1'));
  leave();
  parts[1]?.put(object('c', '1'));
  assert.deepEqual(heard, ['a', 'b']);
  assert.deepEqual(
    cache.list().map(({ metadata }) => metadata.name),
    ['a', 'b', 'c'],
  );
  assert.equal(cache.get({ namespace: 'team', name: 'c' })?.metadata.name, 'c');
  assert.equal(cache.get({ namespace: 'team', name: 'd' }), undefined);
});
