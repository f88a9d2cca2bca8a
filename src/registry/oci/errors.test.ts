import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorCodes, RegistryError } from './errors.ts';

test('an error has the status and the message of its code', () => {
  const error = new RegistryError('MANIFEST_UNKNOWN');
  assert.deepEqual([error.status, error.message, error.detail], [404, 'manifest unknown', undefined]);
  assert.deepEqual(error.headers, {});
});

test('what the caller knows better wins, and the cause is carried', () => {
  const cause = new Error('because');
  const options = { message: 'too large', status: 413, detail: { limit: 1 }, headers: { 'retry-after': '1' }, cause };
  const error = new RegistryError('SIZE_INVALID', options);
  assert.deepEqual([error.code, error.status, error.message], ['SIZE_INVALID', 413, 'too large']);
  assert.deepEqual([error.detail, error.headers, error.cause], [{ limit: 1 }, { 'retry-after': '1' }, cause]);
});

test('every code of the spec is in the table', () => {
  const spec = [
    'BLOB_UNKNOWN',
    'BLOB_UPLOAD_INVALID',
    'BLOB_UPLOAD_UNKNOWN',
    'DIGEST_INVALID',
    'MANIFEST_BLOB_UNKNOWN',
    'MANIFEST_INVALID',
    'MANIFEST_UNKNOWN',
    'NAME_INVALID',
    'NAME_UNKNOWN',
    'SIZE_INVALID',
    'UNAUTHORIZED',
    'DENIED',
    'UNSUPPORTED',
    'TOOMANYREQUESTS',
  ];
  assert.deepEqual(
    spec.filter((code) => !(code in errorCodes)),
    [],
  );
});
