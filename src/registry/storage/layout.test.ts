import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Digest } from '#registry/oci/digest.ts';
import { isRepositoryName } from '#registry/oci/reference.ts';
import * as layout from './layout.ts';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: length, maxLength: length });
const digest = fc.oneof(
  hex(64).map((encoded) => `sha256:${encoded}` as Digest),
  hex(128).map((encoded) => `sha512:${encoded}` as Digest),
);
const name = fc
  .stringMatching(/^[a-z0-9]{1,4}([._-][a-z0-9]{1,3}){0,2}(\/[a-z0-9]{1,4}){0,3}$/)
  .filter(isRepositoryName);
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/);

test('the path of a blob spells its digest', () => {
  fc.assert(
    fc.property(digest, (digest) => {
      const [algorithm = '', prefix, hex = '', data] = layout
        .blobData(digest)
        .slice(layout.blobsRoot.length + 1)
        .split('/');
      assert.equal(layout.digestOfDirectory(algorithm, hex), digest);
      assert.deepEqual([prefix, data], [hex.slice(0, 2), 'data']);
    }),
  );
});

test('no two things share a path, and none lies within another', () => {
  fc.assert(
    fc.property(name, name, tag, digest, fc.uuid(), (a, b, tag, digest, id) => {
      const paths = [a, ...(a === b ? [] : [b])].flatMap((repository) => [
        layout.layerLink(repository, digest),
        layout.revisionLink(repository, digest),
        layout.tagLink(repository, tag),
        layout.tagIndexLink(repository, tag, digest),
        layout.uploadData(repository, id),
        layout.uploadStartedAt(repository, id),
      ]);
      for (const [index, path] of paths.entries()) {
        const others = paths.toSpliced(index, 1);
        assert.ok(
          others.every((other) => other !== path && !other.startsWith(`${path}/`)),
          path,
        );
      }
    }),
  );
});

test('the start of an upload is read as it is written, to the second', () => {
  const noInvalidDate = true;
  const date = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate });
  fc.assert(
    fc.property(date, (date) => {
      const text = layout.formatStartedAt(date);
      assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.equal(layout.parseStartedAt(text)?.getTime(), Math.floor(date.getTime() / 1000) * 1000);
    }),
  );
  assert.equal(layout.parseStartedAt('2026-01-02T03:04:05.25+01:00')?.toISOString(), '2026-01-02T02:04:05.250Z');
  for (const text of ['', 'now', '2026', '2026-13-40T00:00:00Z', '2026-01-02T03:04:05Z\n']) {
    assert.equal(layout.parseStartedAt(text), undefined, text);
  }
});

test('temporary files are told from all others', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.constantFrom('link', 'data', 'startedat'), (id, final) => {
      assert.ok(layout.isTemporaryName(layout.temporaryName(final, id)));
      for (const other of [final, id, `${final}.tmp`, `${final}.${id}`, `${id}.tmp`, `${final}${id}.tmp`]) {
        assert.ok(!layout.isTemporaryName(other), other);
      }
    }),
  );
});
