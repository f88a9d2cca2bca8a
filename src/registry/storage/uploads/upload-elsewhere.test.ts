/** Uploads that two processes on the same volume have to do with. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import { createByteCache } from '#registry/storage/byte-cache.ts';
import { createContentCache } from '#registry/storage/content-cache.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import { blobData, uploadDirectory } from '#registry/storage/layout.ts';
import { createKeyedMutex } from '#registry/storage/keyed-mutex.ts';
import { createLinkReader } from '#registry/storage/link-reader.ts';
import { createStatedSizes } from '#registry/storage/stated-sizes.ts';
import type { StoreContext } from '#registry/storage/store-context.ts';
import type { Upload, UploadStore } from '#registry/storage/store.ts';
import { createLogger } from '#shared/logger.ts';
import { diskError } from '#test/support/faulty-driver.ts';
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
  const files = createFilesystemDriver({ rootDirectory: await temporaryFolder(t) });
  const hooks = { beforePublish: async () => {}, beforeAppend: async (_path: string) => {} };
  const driver: StorageDriver = {
    ...files,
    publish: async (stages) => (await hooks.beforePublish(), files.publish(stages)),
    append: async (path) => (await hooks.beforeAppend(path), files.append(path)),
  };
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
    driver,
    hooks,
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

/** An append that has opened the file, and goes on when it is told. */
async function late(upload: Upload, piece: Buffer) {
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const source = (async function* () {
    begun.resolve();
    await gate.promise;
    yield piece;
  })();
  const appended = upload.append(source).then(
    () => undefined,
    () => undefined,
  );
  await begun.promise;
  return {
    async goOn() {
      gate.resolve();
      await appended;
    },
  };
}

async function stored(driver: StorageDriver, digest: Digest): Promise<Buffer | undefined> {
  return (await driver.getContent(blobData(digest)))?.bytes;
}

for (const begunBy of ['here', 'elsewhere'] as const) {
  test(`bytes that the process which began it, or another one, still has to write: begun ${begunBy}`, async (t) => {
    const { here, elsewhere, driver } = await twoProcesses(t);
    const upload = await here.create();
    const other = await found(elsewhere, upload.id);
    const [writes, commits] = begunBy === 'here' ? [upload, other] : [other, upload];
    const rest = await late(writes, Buffer.from('too late'));
    await commits.append(pieces(bytes));
    const { digest } = await commits.commit(digestOf(bytes));
    await rest.goOn();
    assert.ok((await stored(driver, digest))?.equals(bytes));
    assert.equal(await here.get(upload.id), undefined);
    assert.equal(await driver.stat(uploadDirectory('a', upload.id)), undefined);
  });
}

test('another process that opens an upload while it is moved into its place', async (t) => {
  const { here, elsewhere, driver, hooks } = await twoProcesses(t);
  const upload = await here.create();
  await upload.append(pieces(bytes));
  let rest: Awaited<ReturnType<typeof late>> | undefined;
  hooks.beforePublish = async () => {
    hooks.beforePublish = async () => {};
    rest = await late(await found(elsewhere, upload.id), Buffer.from('too late'));
  };
  const { digest } = await upload.commit(digestOf(bytes));
  await rest?.goOn();
  assert.ok(rest);
  assert.ok((await stored(driver, digest))?.equals(bytes));
  assert.equal(await driver.stat(uploadDirectory('a', upload.id)), undefined);
});

test('what can not be copied is given up, and pushed again', async (t) => {
  const { here, elsewhere, driver, hooks } = await twoProcesses(t);
  const upload = await here.create();
  await upload.append(pieces(bytes));
  hooks.beforeAppend = async (path) => {
    if (path.includes('/copy.')) throw diskError('EIO');
  };
  await assert.rejects((await found(elsewhere, upload.id)).commit(digestOf(bytes)), { code: 'EIO' });
  assert.equal(await driver.stat(uploadDirectory('a', upload.id)), undefined);
  hooks.beforeAppend = async () => {};
  const again = await elsewhere.create();
  await again.append(pieces(bytes));
  const { digest } = await again.commit(digestOf(bytes));
  assert.ok((await stored(driver, digest))?.equals(bytes));
});

test('a digest that is wrong, of what another process has written', async (t) => {
  const { here, elsewhere, driver } = await twoProcesses(t);
  const upload = await here.create();
  await upload.append(pieces(bytes));
  await assert.rejects((await found(elsewhere, upload.id)).commit(digestOf('other')), { code: 'DIGEST_INVALID' });
  assert.equal(await driver.stat(uploadDirectory('a', upload.id)), undefined);
  assert.equal(await stored(driver, digestOf('other')), undefined);
});

async function found(store: UploadStore, id: string): Promise<Upload> {
  const upload = await store.get(id);
  assert.ok(upload);
  return upload;
}
