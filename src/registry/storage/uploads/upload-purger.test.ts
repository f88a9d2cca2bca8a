import assert from 'node:assert/strict';
import { utimes } from 'node:fs/promises';
import { test } from 'node:test';
import { createLogger } from '#shared/logger.ts';
import { eventually } from '#test/support/eventually.ts';
import { digestOf, pieces } from '#test/support/stored-content.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { blobData, layerLink, temporaryName, uploadDirectory, uploadStartedAt } from '#registry/storage/layout.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import { createUploadPurger } from './upload-purger.ts';

const logger = createLogger({ level: 'silent' });
const never = new AbortController().signal;
const [day, hour] = [86_400_000, 3_600_000];
const options = { logger, ageMs: 7 * day, dryRun: false };

test('uploads that are old enough go, others and all that was committed stay', async () => {
  const driver = createInMemoryDriver();
  const store = createRegistryStore({ driver, logger });
  const repositories = ['a', 'a/b'].map((name) => store.repository(name));
  const uploads = await Promise.all(repositories.map((repository) => repository.uploads.create()));
  const done = await store.repository('a').uploads.create();
  await done.append(pieces('blob'));
  await done.commit(digestOf('blob'));

  const soon = createUploadPurger({ ...options, driver, now: () => Date.now() + 6 * day });
  assert.deepEqual(await soon.purge(never), { uploads: 0, temporaryFiles: 0 });
  const late = { ...options, driver, now: () => Date.now() + 8 * day };
  assert.deepEqual(await createUploadPurger({ ...late, dryRun: true }).purge(never), { uploads: 2, temporaryFiles: 0 });
  assert.ok(await store.repository('a').uploads.get(uploads[0]!.id), 'a dry run removes nothing');
  assert.deepEqual(await createUploadPurger(late).purge(never), { uploads: 2, temporaryFiles: 0 });
  assert.equal(await store.repository('a').uploads.get(uploads[0]!.id), undefined);
  assert.equal(await driver.stat(uploadDirectory('a/b', uploads[1]!.id)), undefined);
  assert.ok(await store.repository('a').blobs.stat(digestOf('blob')));
});

test('an upload whose start a crash left empty is as old as its directory', async (t) => {
  const root = await temporaryFolder(t);
  const driver = createFilesystemDriver({ rootDirectory: root });
  const id = crypto.randomUUID();
  await driver.putContent(uploadStartedAt('a', id), Buffer.alloc(0));
  const purger = createUploadPurger({ ...options, driver });
  assert.equal((await purger.purge(never)).uploads, 0);
  const longAgo = new Date(Date.now() - 8 * day);
  await utimes(root + uploadDirectory('a', id), longAgo, longAgo);
  assert.equal((await purger.purge(never)).uploads, 1);
});

test('what is no upload is left alone', async () => {
  const driver = createInMemoryDriver();
  await driver.putContent('/docker/registry/v2/repositories/a/_uploads/notes/startedat', Buffer.from('x'));
  const purger = createUploadPurger({ ...options, driver, ageMs: 0 });
  assert.equal((await purger.purge(never)).uploads, 0);
});

test('temporary files go when no write can still be at them', async () => {
  const driver = createInMemoryDriver();
  const digest = digestOf('x');
  const left = [blobData(digest), layerLink('a', digest)].map((path) => temporaryName(path, crypto.randomUUID()));
  const kept = [blobData(digest), layerLink('a', digest), `${layerLink('a', digest)}.tmp`];
  for (const path of [...left, ...kept]) await driver.putContent(path, Buffer.from('x'));
  const purger = createUploadPurger({ ...options, driver });
  assert.equal((await purger.purge(never)).temporaryFiles, 0);
  const later = createUploadPurger({ ...options, driver, now: () => Date.now() + 2 * hour });
  assert.equal((await later.purge(never)).temporaryFiles, 2);
  for (const path of left) assert.equal(await driver.stat(path), undefined);
  for (const path of kept) assert.ok(await driver.stat(path));
});

test('it runs until it is stopped, through failures', async () => {
  const memory = createInMemoryDriver();
  let lists = 0;
  const driver = {
    ...memory,
    list: async (path: string) => {
      if (++lists === 1) throw new Error('EIO');
      return memory.list(path);
    },
  };
  const controller = new AbortController();
  const running = createUploadPurger({ ...options, driver }).run(1, controller.signal);
  await eventually(() => assert.ok(lists > 5));
  controller.abort();
  await running;
});
