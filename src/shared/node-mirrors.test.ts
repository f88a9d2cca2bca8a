import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyMirrors, mirrorsRevision, parseMirrors, serializeMirrors, type Mirror } from './node-mirrors.ts';

const mirror = (host: string): Mirror => ({
  host,
  registry: { namespace: 'default', name: 'kind-registry', uid: '0b1f' },
  endpoints: ['http://10.96.0.7:5000'],
});

test('one content has one text and one revision, whatever the order', () => {
  const [a, b] = [mirror('a:1'), mirror('b:1')];
  const text = serializeMirrors({ version: 1, mirrors: [b, a] });
  assert.equal(text, serializeMirrors({ version: 1, mirrors: [a, b] }));
  assert.deepEqual(parseMirrors(text).mirrors, [a, b]);
  assert.match(mirrorsRevision(text), /^[0-9a-f]{16}$/);
  assert.deepEqual(parseMirrors(serializeMirrors(emptyMirrors)), emptyMirrors);
});

test('what is wrong is named', () => {
  const cases: [string, RegExp][] = [
    ['', /not JSON/],
    ['[]', /not an object/],
    ['{"version":2,"mirrors":[]}', /version 2, this agent knows 1/],
    ['{"version":1}', /no list/],
    ['{"version":1,"mirrors":[{"host":"a"}]}', /mirrors\[0\]/],
    [JSON.stringify({ version: 1, mirrors: [{ ...mirror('a'), endpoints: [] }] }), /mirrors\[0\]/],
    [JSON.stringify({ version: 1, mirrors: [{ ...mirror('a'), endpoints: [1] }] }), /mirrors\[0\]/],
    [JSON.stringify({ version: 1, mirrors: [mirror('a'), mirror('')] }), /mirrors\[1\]/],
    [JSON.stringify({ version: 1, mirrors: [mirror('a'), mirror('a')] }), /twice/],
  ];
  for (const [text, message] of cases) assert.throws(() => parseMirrors(text), message, text);
});
