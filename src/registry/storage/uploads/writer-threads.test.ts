/** Uploads that are large enough for a thread, on a real folder, and threads that die under them. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { ByteSource, Upload } from '#registry/storage/store.ts';
import { createLogger } from '#shared/logger.ts';
import { digestOf, pieces } from '#test/support/stored-content.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createUploadHash, uploadTarget } from './upload-hash.ts';
import { createUploadMemory } from './upload-memory.ts';
import { pump } from './upload-pump.ts';
import { startWriterThread } from './writer-thread.ts';
import { createWriterThreads } from './writer-threads.ts';

const bytes = Buffer.from(Array.from({ length: 5_000_000 }, (_, index) => (index * 7919) % 251));

async function open(t: TestContext) {
  const driver = createFilesystemDriver({ rootDirectory: await temporaryFolder(t) });
  const store = createRegistryStore({ driver, logger: createLogger({ level: 'silent' }) });
  t.after(() => store.close());
  return { driver, repository: store.repository('a') };
}

/** Chunks with memory of their own, as they come from a socket, all at once. */
function received(content: Uint8Array): ByteSource {
  const chunks = pieces(content);
  const copies = (async function* () {
    for await (const chunk of chunks) yield new Uint8Array(chunk);
  })();
  return { givenAway: true, [Symbol.asyncIterator]: () => copies };
}

async function commit(upload: Upload, digest: Digest): Promise<void> {
  assert.deepEqual(await upload.commit(digest), { digest, size: bytes.byteLength });
}

test('what was written here and there, in one request or in many, is one blob', async (t) => {
  const { repository } = await open(t);
  for (const cuts of [[], [10], [600_000], [3_000_000, 3_000_010], [100, 2_000_000, 4_999_999]]) {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      const upload = await repository.uploads.create(algorithm);
      for (const [index, from] of [0, ...cuts].entries()) {
        await upload.append(received(bytes.subarray(from, cuts[index])));
      }
      await commit(upload, digestOf(bytes, algorithm));
    }
  }
});

test('chunks that belong to somebody else are left as they are', async (t) => {
  const { repository } = await open(t);
  const upload = await repository.uploads.create();
  await upload.append(pieces(bytes));
  assert.equal(bytes.byteLength, 5_000_000);
  await commit(upload, digestOf(bytes));
});

test('a wrong digest is found', async (t) => {
  const { repository } = await open(t);
  const upload = await repository.uploads.create();
  await upload.append(received(bytes));
  await assert.rejects(upload.commit(digestOf('something else')), { code: 'DIGEST_INVALID' });
});

test('an upload that is cancelled while it is in a thread ends', async (t) => {
  const { repository } = await open(t);
  const upload = await repository.uploads.create();
  const source = (async function* () {
    yield* received(bytes);
    await upload.cancel();
    yield* received(bytes);
  })();
  await assert.rejects(upload.append(source), { code: 'BLOB_UPLOAD_UNKNOWN' });
});

test('an upload that is cancelled before it comes to a thread does not come to one with what it has gathered', async (t) => {
  const { driver } = await open(t);
  const threads = createWriterThreads();
  t.after(() => threads.close());
  const hash = createUploadHash('sha256', threads);
  const writer = await driver.append('/upload');
  hash.forget();
  await uploadTarget(writer, hash).write({ chunks: [bytes], bytes: bytes.byteLength, givenAway: false });
  assert.equal(hash.isElsewhere, false);
  await writer.close();
});

test('an operation that fails is told with its code, also by what comes after it, of which nothing is taken', async () => {
  const thread = startWriterThread(() => {});
  const upload = thread.open({ algorithm: 'sha256', bytes: 0 });
  const writes = [1, 2].map(() => upload.write(9999, [new ArrayBuffer(1)]));
  for (const write of writes) await assert.rejects(write, { code: 'EBADF', syscall: 'write' });
  await assert.rejects(upload.digest(), { code: 'EBADF' });
  await thread.close();
  await assert.rejects(upload.digest(), { code: 'UNAVAILABLE', status: 503 });
});

const dying = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', () => { throw new Error('out of memory'); });
  `)}`,
);

test('an upload whose thread dies is told so, can go on from what is in the file, and the next one gets a new thread', async (t) => {
  const { driver } = await open(t);
  const threads = createWriterThreads(1, dying);
  for (let turn = 0; turn < 2; turn++) {
    const hash = createUploadHash('sha256', threads);
    const memory = createUploadMemory();
    const writer = await driver.append(`/upload-${turn}`);
    await writer.write([bytes.subarray(0, 10)]);
    const target = uploadTarget(writer, hash);
    await assert.rejects(pump(received(bytes), { target, memory, see: () => {}, lost: () => {} }), {
      code: 'UNAVAILABLE',
      status: 503,
    });
    assert.equal(memory.held, 0);
    assert.equal(writer.size, 10);
    assert.equal(hash.covers(writer.size), false);
    await writer.close();
  }
  await threads.close();
});
