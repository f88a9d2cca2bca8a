import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { revisionsDirectory } from '#registry/storage/layout.ts';
import { listRevisions } from './disk-reader.ts';

test('a repository has more manifests than a call takes arguments', async () => {
  const manifests = 500_000;
  const list: StorageDriver['list'] = async (path) => {
    if (path === revisionsDirectory('a')) return [{ name: 'sha256', isDirectory: true }];
    const name = (number: number) => number.toString(16).padStart(64, '0');
    return Array.from({ length: manifests }, (_, number) => ({ name: name(number), isDirectory: true }));
  };
  const { digests } = await listRevisions({ ...createInMemoryDriver(), list }, 'a');
  assert.equal(digests.length, manifests);
});
