import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfiguration } from '#registry/config/load.ts';
import { appOptions } from './app-options.ts';

const prefixes: [given: string, used: string][] = [
  ['', '/'],
  ['/', '/'],
  ['/registry/', '/registry/'],
  ['/a/b', '/a/b/'],
];

for (const [given, used] of prefixes) {
  test(`http.prefix "${given}" is ${used}`, () => {
    const source = JSON.stringify({ version: '0.1', storage: 'inmemory', http: { prefix: given } });
    assert.equal(appOptions(parseConfiguration(source, {}).configuration).prefix, used);
  });
}
