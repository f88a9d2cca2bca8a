import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorReport } from '#shared/node-mirrors.ts';
import { reportFixture } from '#test/support/nodes.ts';
import { nodesHolding } from './cleanup.ts';

const mine = { namespace: 'default', name: 'kind-registry', uid: 'mine' };
const report = (state: MirrorReport['state'], uid = 'mine', message?: string): MirrorReport => ({
  host: 'a:1',
  registry: { ...mine, uid },
  state,
  ...(message === undefined ? {} : { message }),
});

test('a node holds a Registry until it reports nothing of it; what somebody edited does not count', () => {
  const reports = [
    reportFixture('configured', [report('Configured')]),
    reportFixture('unreachable', [report('Unreachable')]),
    reportFixture('failed', [report('Failed', 'mine', 'read-only')]),
    reportFixture('edited', [report('Conflict')]),
    reportFixture('other', [report('Configured', 'other')]),
    reportFixture('clean', []),
    { ...reportFixture('new', []), status: undefined },
  ].map(({ status, ...rest }) => (status === undefined ? rest : { ...rest, status }));
  assert.deepEqual(nodesHolding('mine', reports), [
    { node: 'configured' },
    { node: 'unreachable' },
    { node: 'failed', message: 'read-only' },
  ]);
  assert.deepEqual(nodesHolding('mine', []), []);
});
