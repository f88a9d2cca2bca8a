import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { digestAlgorithm, digestEncoded, parseDigest } from './digest.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length });

test('a digest of a known algorithm is taken apart again', () => {
  for (const [algorithm, length] of [
    ['sha256', 64],
    ['sha512', 128],
  ] as const) {
    fc.assert(
      fc.property(hex(length), (encoded) => {
        const digest = parseDigest(`${algorithm}:${encoded}`);
        assert.ok(digest);
        assert.equal(digestAlgorithm(digest), algorithm);
        assert.equal(digestEncoded(digest), encoded);
      }),
    );
  }
});

test('anything else is none', () => {
  const good = 'a'.repeat(64);
  const bad = ['', ':', 'sha256', 'sha256:', `sha256:${good}a`, `sha256:${good.slice(1)}`, `md5:${good}`, good];
  const hostile = [
    `sha256:${'A'.repeat(64)}`,
    `sha256:${good.slice(2)}/.`,
    `sha256:${good.slice(1)}\n`,
    `SHA256:${good}`,
  ];
  for (const text of [...bad, ...hostile, `sha512:${good}`, `toString:${good}`, `__proto__:${good}`]) {
    assert.equal(parseDigest(text), undefined, text);
  }
});

test('no text makes a digest that could leave its directory', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const digest = parseDigest(text) ?? parseDigest(`sha256:${text}`);
      assert.ok(digest === undefined || /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(digest));
    }),
  );
});
