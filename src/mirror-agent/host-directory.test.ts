import assert from 'node:assert/strict';
import { join, sep } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { hostDirectory, shadowingDirectory } from './host-directory.ts';

test('the directory of a host is named as the host', () => {
  for (const host of ['kind-registry:5000', 'localhost:5001', 'docker.io', '10.0.0.1:80', '[::1]:5000', 'a.b-c.D:1']) {
    assert.equal(hostDirectory(host), host);
  }
});

test('what is no host has no directory', () => {
  const names = [
    '',
    '.',
    '..',
    '../x',
    'a/b',
    '/etc',
    'a:',
    ':5',
    'a:b',
    '_default',
    'a b',
    'a\0b',
    'a\n',
    '-a',
    'a..b',
  ];
  for (const name of [...names, 'x:123456', 'a'.repeat(254), '.registry-operator-1']) {
    assert.equal(hostDirectory(name), undefined, JSON.stringify(name));
  }
});

test('no name, however odd, leads out of the folder', () => {
  const piece = fc.constantFrom('..', '.', '/', '\\', '%2f', 'a', ':', '5000', '[', ']', '\0', '\n', '‥', '~');
  const odd = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(odd, (host) => {
      const directory = hostDirectory(host);
      if (directory === undefined) return;
      assert.equal(join('/root', directory), `/root${sep}${directory}`);
      assert.ok(!directory.startsWith('.'));
      assert.ok(Buffer.byteLength(directory) <= 255);
    }),
    { numRuns: 2000 },
  );
});

test('containerd looks for h_p_ before h:p, and for nothing before a host without a port', () => {
  assert.equal(shadowingDirectory('kind-registry:5000'), 'kind-registry_5000_');
  assert.equal(shadowingDirectory('[::1]:5000'), '[::1]_5000_');
  assert.equal(shadowingDirectory('example.com'), undefined);
});
