import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { assert as holds, dictionary, jsonValue, property, string } from 'fast-check';
import type { KubeObject } from '#shared/kube/kube-client.ts';
import { satisfies, withAppliedHash } from './drift.ts';

suite('what satisfies', () => {
  test('defaults and fields of others', () => {
    assert.ok(satisfies({ a: 1, b: 2 }, { a: 1 }));
    assert.ok(satisfies({ ports: [{ name: 'x', port: 1, nodePort: 3 }] }, { ports: [{ name: 'x', port: 1 }] }));
    assert.ok(satisfies({}, { labels: {}, list: [], nothing: undefined }));
  });

  test('elements that others added to a list that is merged by key', () => {
    assert.ok(satisfies([{ name: 'sidecar' }, { name: 'registry', image: 'a' }], [{ name: 'registry', image: 'a' }]));
  });

  test('a quantity in other words', () => {
    assert.ok(satisfies({ storage: '1Gi' }, { storage: '1024Mi' }));
    assert.ok(!satisfies({ storage: '1Gi' }, { storage: '1Mi' }));
  });

  test('property: whatever is as wanted, with whatever besides', () => {
    const record = dictionary(string(), jsonValue());
    holds(property(jsonValue(), (value) => satisfies(value, value)));
    holds(property(record, record, (wanted, others) => satisfies({ ...others, ...wanted }, wanted)));
  });
});

suite('what does not', () => {
  test('another value, or none', () => {
    assert.ok(!satisfies({ a: 2 }, { a: 1 }));
    assert.ok(!satisfies({}, { a: 1 }));
    assert.ok(!satisfies(undefined, { a: 1 }));
    assert.ok(!satisfies({ a: '1' }, { a: 1 }));
    assert.ok(!satisfies({ a: [] }, { a: ['x'] }));
  });

  test('one more in a list that is one value', () => {
    assert.ok(!satisfies({ ingress: [{ ports: [] }, {}] }, { ingress: [{ ports: [] }] }));
    assert.ok(!satisfies(['a', 'b'], ['a']));
  });

  test('one more in a map that is one value', () => {
    assert.ok(!satisfies({ selector: { a: '1', b: '2' } }, { selector: { a: '1' } }));
    assert.ok(satisfies({ labels: { a: '1', b: '2' } }, { labels: { a: '1' } }));
  });
});

test('the hash tells what was applied: a field that is no longer wanted makes another one', () => {
  const head = { apiVersion: 'v1', kind: 'X', metadata: { name: 'a' } };
  const one: KubeObject = withAppliedHash({ ...head, spec: { a: 1 } });
  const two: KubeObject = withAppliedHash({ ...head, spec: {} });
  assert.notDeepEqual(one.metadata.annotations, two.metadata.annotations);
  assert.ok(!satisfies(one, two));
});
