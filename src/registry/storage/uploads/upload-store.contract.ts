/** What uploads do on every driver. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '#registry/oci/errors.ts';
import { createLogger } from '#shared/logger.ts';
import { digestOf, pieces } from '#test/support/stored-content.ts';
import type { MakeDriver } from '#registry/storage/driver.contract.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { uploadDirectory } from '#registry/storage/layout.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { RepositoryStore, Upload } from '#registry/storage/store.ts';

interface Fixture {
  driver: StorageDriver;
  repository: RepositoryStore;
  /** The same repository as another process, or this one after a restart, sees it. */
  elsewhere: () => RepositoryStore;
}

type Contract = (title: string, check: (fixture: Fixture) => Promise<void>) => void;

export function describeUploads(name: string, make: MakeDriver): void {
  const contract: Contract = (title, check) => {
    void test(`uploads on ${name}: ${title}`, async (t) => {
      const driver = await make(t);
      const open = () => createRegistryStore({ driver, logger: createLogger({ level: 'silent' }) }).repository('a/b');
      await check({ driver, repository: open(), elsewhere: open });
    });
  };
  sessions(contract);
  resuming(contract);
  failures(contract);
}

const codeIs = (code: string, status?: number) => (error: unknown) =>
  error instanceof RegistryError && error.code === code && (status === undefined || error.status === status);

/** The first half, then a source that breaks as a connection does. */
async function* breakingOff(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
  throw new Error('connection reset');
}

async function appendText(upload: Upload | undefined, text: string): Promise<number> {
  assert.ok(upload);
  return upload.append(pieces(text));
}

function sessions(contract: Contract): void {
  contract('an upload grows with what is appended and becomes the blob', async ({ driver, repository }) => {
    const upload = await repository.uploads.create();
    assert.equal(upload.size, 0);
    assert.equal(await appendText(upload, 'one '), 4);
    assert.equal(await appendText(upload, 'two'), 7);
    const digest = digestOf('one two');
    assert.deepEqual(await upload.commit(digest), { digest, size: 7 });
    assert.ok(await repository.blobs.stat(digest));
    assert.equal(await driver.stat(uploadDirectory('a/b', upload.id)), undefined);
    assert.equal(await repository.uploads.get(upload.id), undefined);
  });

  contract('it is found by its name in its repository alone', async ({ repository }) => {
    const upload = await repository.uploads.create();
    assert.equal((await repository.uploads.get(upload.id))?.id, upload.id);
    for (const id of ['', 'x', '..', '../../x', crypto.randomUUID(), upload.id.toUpperCase(), `${upload.id}/`]) {
      assert.equal(await repository.uploads.get(id), undefined, id);
    }
  });

  contract('both algorithms, known before or only at the end', async ({ repository }) => {
    for (const first of ['sha256', 'sha512', undefined] as const) {
      for (const last of ['sha256', 'sha512'] as const) {
        const text = `${first} ${last}`;
        const upload = await repository.uploads.create(first);
        await appendText(upload, text);
        const digest = digestOf(text, last);
        assert.deepEqual(await upload.commit(digest), { digest, size: text.length });
        assert.deepEqual(await repository.blobs.stat(digest), { digest, size: text.length });
      }
    }
  });

  contract('a commit without anything appended is the empty blob', async ({ repository }) => {
    const upload = await repository.uploads.create();
    assert.equal((await upload.commit(digestOf(''))).size, 0);
    assert.equal((await repository.blobs.stat(digestOf('')))?.size, 0);
  });

  contract('a cancelled upload is gone', async ({ driver, repository }) => {
    const upload = await repository.uploads.create();
    await appendText(upload, 'x');
    await upload.cancel();
    assert.equal(await repository.uploads.get(upload.id), undefined);
    assert.equal(await driver.stat(uploadDirectory('a/b', upload.id)), undefined);
    await assert.rejects(appendText(upload, 'y'), codeIs('BLOB_UPLOAD_UNKNOWN'));
    await assert.rejects(upload.commit(digestOf('x')), codeIs('BLOB_UPLOAD_UNKNOWN'));
    await assert.rejects(upload.cancel(), codeIs('BLOB_UPLOAD_UNKNOWN'));
  });
}

function resuming(contract: Contract): void {
  contract('it goes on after a restart, with its size and its time', async ({ repository, elsewhere }) => {
    const upload = await repository.uploads.create();
    await appendText(upload, 'before ');
    const resumed = await elsewhere().uploads.get(upload.id);
    assert.equal(resumed?.size, 7);
    assert.deepEqual(resumed.startedAt, upload.startedAt);
    assert.equal(await appendText(resumed, 'after'), 12);
    assert.equal((await resumed.commit(digestOf('before after'))).size, 12);
  });

  contract('two processes may take turns', async ({ repository, elsewhere }) => {
    const other = elsewhere();
    const { id } = await repository.uploads.create();
    await appendText(await repository.uploads.get(id), '1');
    await appendText(await other.uploads.get(id), '2');
    await appendText(await repository.uploads.get(id), '3');
    await appendText(await other.uploads.get(id), '4');
    const upload = await repository.uploads.get(id);
    assert.equal(upload?.size, 4);
    assert.ok(await upload.commit(digestOf('1234')));
    assert.equal(await other.uploads.get(id), undefined);
  });

  contract(
    'a source that breaks off leaves what arrived, and the rest can follow',
    async ({ repository, elsewhere }) => {
      const upload = await repository.uploads.create();
      await assert.rejects(upload.append(breakingOff('half ')), /connection reset/);
      assert.equal(upload.size, 5);
      assert.equal((await repository.uploads.get(upload.id))?.size, 5);
      assert.equal((await elsewhere().uploads.get(upload.id))?.size, 5);
      await appendText(upload, 'whole');
      assert.ok(await upload.commit(digestOf('half whole')));
    },
  );
}

function failures(contract: Contract): void {
  contract('a wrong digest is refused and nothing is left', async ({ driver, repository }) => {
    const upload = await repository.uploads.create();
    await appendText(upload, 'x');
    await assert.rejects(upload.commit(digestOf('y')), codeIs('DIGEST_INVALID', 400));
    assert.equal(await driver.stat(uploadDirectory('a/b', upload.id)), undefined);
    assert.equal(await repository.blobs.stat(digestOf('y')), undefined);
    assert.equal(await repository.blobs.stat(digestOf('x')), undefined);
  });

  contract('a second writer is refused while the first one writes', async ({ repository }) => {
    const upload = await repository.uploads.create();
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const first = upload.append(
      (async function* () {
        yield Buffer.from('slow ');
        begun.resolve();
        await gate.promise;
        yield Buffer.from('client');
      })(),
    );
    await begun.promise;
    const same = await repository.uploads.get(upload.id);
    await assert.rejects(appendText(same, 'intruder'), codeIs('BLOB_UPLOAD_INVALID', 409));
    await assert.rejects(upload.commit(digestOf('slow ')), codeIs('BLOB_UPLOAD_INVALID', 409));
    gate.resolve();
    assert.equal(await first, 11);
    assert.ok(await upload.commit(digestOf('slow client')));
  });

  contract('an upload cancelled while it is written ends the writing', async ({ driver, repository }) => {
    const upload = await repository.uploads.create();
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const writing = upload.append(
      (async function* () {
        yield Buffer.from('one');
        begun.resolve();
        await gate.promise;
        yield Buffer.from('two');
      })(),
    );
    await begun.promise;
    await upload.cancel();
    gate.resolve();
    await assert.rejects(writing, codeIs('BLOB_UPLOAD_UNKNOWN'));
    assert.equal(await driver.stat(uploadDirectory('a/b', upload.id)), undefined);
  });
}
