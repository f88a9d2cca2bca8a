import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorReport, MirrorState } from '#shared/node-mirrors.ts';
import { reportColumns } from './report.ts';

const report = (host: string, state: MirrorState): MirrorReport => ({
  host,
  state,
  registry: { namespace: 'default', name: 'kind-registry', uid: 'u' },
});

test('the columns count what is configured and name what is not', () => {
  assert.deepEqual(reportColumns([]), { configured: '0/0', problems: '' });
  assert.deepEqual(reportColumns([report('a:1', 'Configured'), report('b:1', 'Conflict'), report('c:1', 'Failed')]), {
    configured: '1/3',
    problems: 'b:1 Conflict, c:1 Failed',
  });
});

test('many problems stay within what the schema takes', () => {
  const many = Array.from({ length: 50 }, (_, i) => report(`host-${i}.example:5000`, 'Unreachable'));
  assert.equal(reportColumns(many).problems.length, 256);
});
