/** Uploads that another process on the same volume ends: what this one keeps of them is given back. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createByteCache } from '#registry/storage/byte-cache.ts';
import { createContentCache } from '#registry/storage/content-cache.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import { createKeyedMutex } from '#registry/storage/keyed-mutex.ts';
import { createLinkReader } from '#registry/storage/link-reader.ts';
import { createStatedSizes } from '#registry/storage/stated-sizes.ts';
import type { StoreContext } from '#registry/storage/store-context.ts';
import type { Upload, UploadStore } from '#registry/storage/store.ts';
import { createLogger } from '#shared/logger.ts';
import { digestOf, pieces } from '#test/support/stored-content.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createUploadMemory } from './upload-memory.ts';
import { createUploadSessions } from './upload-sessions.ts';
import { createUploadStore } from './upload-store.ts';
import { createWriterThreads } from './writer-threads.ts';

const bytes = Buffer.alloc(3_000_000, 'large enough for a thread');

/** What one process knows of a volume. */
function contextOn(driver: StorageDriver, writerThreads: StoreContext['writerThreads']): StoreContext {
  const logger = createLogger({ level: 'silent' });
  const sizes = createStatedSizes(driver, logger);
  return {
    driver,
    logger,
    sizes,
    links: createLinkReader(driver, createByteCache(1), logger),
    contents: createContentCache(driver, createByteCache(1), sizes, logger),
    locks: createKeyedMutex(),
    sessions: createUploadSessions(),
    uploadMemory: createUploadMemory(),
    writerThreads,
    notify: () => {},
    track: (change) => change,
  };
}

/** Two processes, and how many uploads the threads of the first one know. */
async function twoProcesses(t: TestContext) {
  const driver = createFilesystemDriver({ rootDirectory: await temporaryFolder(t) });
  const threads = [createWriterThreads(1), createWriterThreads(1)] as const;
  t.after(() => Promise.all(threads.map((one) => one.close())));
  let known = 0;
  const counted: StoreContext['writerThreads'] = {
    ...threads[0],
    open(start) {
      const upload = threads[0].open(start);
      known++;
      const forget = () => (known--, upload.forget());
      return { ...upload, forget };
    },
  };
  return {
    here: createUploadStore(contextOn(driver, counted), 'a'),
    elsewhere: createUploadStore(contextOn(driver, threads[1]), 'a'),
    known: () => known,
  };
}

const ends: [how: string, end: (upload: Upload) => Promise<unknown>][] = [
  ['committed', (upload) => upload.commit(digestOf(bytes))],
  ['cancelled', (upload) => upload.cancel()],
];

for (const [how, end] of ends) {
  test(`an upload that is ${how} elsewhere is unknown here, and its hash is forgotten`, async (t) => {
    const { here, elsewhere, known } = await twoProcesses(t);
    const upload = await here.create();
    await upload.append(pieces(bytes));
    assert.equal(known(), 1);
    await end(await found(elsewhere, upload.id));
    assert.equal(await here.get(upload.id), undefined);
    assert.equal(known(), 0);
    await assert.rejects(upload.append(pieces(bytes)), { code: 'BLOB_UPLOAD_UNKNOWN' });
  });
}

test('an upload that is cancelled elsewhere while it is written here ends', async (t) => {
  const { here, elsewhere, known } = await twoProcesses(t);
  const upload = await here.create();
  const source = (async function* () {
    yield* pieces(bytes);
    await (await found(elsewhere, upload.id)).cancel();
    assert.equal(await here.get(upload.id), undefined);
    yield* pieces(bytes);
  })();
  await assert.rejects(upload.append(source), { code: 'BLOB_UPLOAD_UNKNOWN' });
  assert.equal(known(), 0);
});

async function found(store: UploadStore, id: string): Promise<Upload> {
  const upload = await store.get(id);
  assert.ok(upload);
  return upload;
}
