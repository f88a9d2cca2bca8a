import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectionPath, objectPath, queryString } from './resource-path.ts';

const pods = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const nodes = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };
const leases = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true };

test('paths of the core group and of others', () => {
  assert.equal(collectionPath(pods), '/api/v1/pods');
  assert.equal(collectionPath(pods, 'team'), '/api/v1/namespaces/team/pods');
  assert.equal(collectionPath(leases, 'team'), '/apis/coordination.k8s.io/v1/namespaces/team/leases');
  assert.equal(objectPath(pods, { namespace: 'team', name: 'a' }, 'status'), '/api/v1/namespaces/team/pods/a/status');
});

test('a kind without namespaces has none in its path', () => {
  assert.equal(objectPath(nodes, { namespace: '', name: 'n1' }), '/api/v1/nodes/n1');
  assert.equal(collectionPath(nodes, 'team'), '/api/v1/nodes');
});

test('names stay one part of the path', () => {
  assert.equal(objectPath(nodes, { namespace: '', name: '../pods?x' }), '/api/v1/nodes/..%2Fpods%3Fx');
});

test('queries leave out what is not set', () => {
  assert.equal(queryString({ a: undefined, b: '' }), '');
  assert.equal(
    queryString({ labelSelector: 'a=b,c', limit: 5, watch: true }),
    '?labelSelector=a%3Db%2Cc&limit=5&watch=true',
  );
});
