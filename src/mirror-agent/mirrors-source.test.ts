import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createObjectStore } from '#shared/kube/object-store.ts';
import { emptyMirrors, mirrorsKey, mirrorsRevision, serializeMirrors } from '#shared/node-mirrors.ts';
import { type ConfigMap, createMirrorsSource } from './mirrors-source.ts';

const name = { namespace: 'n', name: 'mirrors' };

function configMap(data: Record<string, string>): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...name, uid: '1' }, data };
}

test('what was read once is remembered when the ConfigMap goes or breaks', () => {
  const store = createObjectStore<ConfigMap>((error) => assert.ifError(error));
  const read = createMirrorsSource(store, name);
  assert.deepEqual(read(), { last: undefined, published: false });

  const text = serializeMirrors(emptyMirrors);
  const last = { revision: mirrorsRevision(text), mirrors: emptyMirrors };
  store.put(configMap({ [mirrorsKey]: text }));
  assert.deepEqual(read(), { last, published: true });

  store.put(configMap({ [mirrorsKey]: '{' }));
  assert.deepEqual(read(), { last, published: true, problem: 'mirrors.json is not JSON' });

  store.put(configMap({}));
  assert.deepEqual(read(), { last, published: false });

  store.replaceAll([]);
  assert.deepEqual(read(), { last, published: false });
});
