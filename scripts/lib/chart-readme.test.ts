import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valueRows, withValuesTable } from './chart-readme.ts';

const yaml = `# Not a value.
image:
  # -- Where it is
  repository: x
  tag: ""
# -- What it may use
resources:
  requests: {cpu: 1m}
  limits: {memory: 1Mi}
# -- a or b | c
level: a
`;

test('each commented key is a row, with its path, its value on one line and its comment', () => {
  assert.deepEqual(valueRows(yaml), [
    { path: 'image.repository', value: 'x', help: 'Where it is' },
    { path: 'resources', value: 'requests: {cpu: 1m}, limits: {memory: 1Mi}', help: 'What it may use' },
    { path: 'level', value: 'a', help: 'a or b \\| c' },
  ]);
});

test('the table replaces the one before, and nothing else', () => {
  const frame = (table: string) =>
    `before\n<!-- values: made from values.yaml by npm run generate -->\n${table}<!-- /values -->\nafter\n`;
  const once = withValuesTable(frame('old\n'), yaml);
  assert.match(once, /^before\n[\s\S]*\| `level` \| `a` \|[\s\S]*\nafter\n$/);
  assert.doesNotMatch(once, /old/);
  assert.equal(withValuesTable(once, yaml), once);
  assert.throws(() => withValuesTable('nothing', yaml), /no <!-- values/);
});
