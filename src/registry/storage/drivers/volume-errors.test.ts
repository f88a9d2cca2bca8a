import assert from 'node:assert/strict';
import { chmod, stat, utimes } from 'node:fs/promises';
import { test } from 'node:test';
import { RegistryError } from '#registry/oci/errors.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createFilesystemDriver } from './filesystem.ts';

const nobody = 65_532;

/** As the user of the image; who is not root is refused by the folder's mode as it is. */
async function asNobody(action: () => Promise<unknown>): Promise<void> {
  if (process.geteuid?.() !== 0) return void (await action());
  process.seteuid?.(nobody);
  try {
    await action();
  } finally {
    process.seteuid?.(0);
  }
}

test('a volume of another user: what to do is said, and pulls go on', async (t) => {
  const root = await temporaryFolder(t);
  const driver = createFilesystemDriver({ rootDirectory: root });
  await driver.putContent('/docker/tag', Buffer.from('content'));
  await chmod(root, 0o555);
  await chmod(`${root}/docker`, 0o555);
  await asNobody(async () => {
    for (const write of [
      () => driver.putContent('/docker/other', Buffer.from('x')),
      () => driver.append('/new/file'),
      () => driver.delete('/docker/tag'),
    ]) {
      await assert.rejects(write, (error: RegistryError) => {
        assert.ok(error instanceof RegistryError, String(error));
        assert.equal(error.status, 503);
        assert.match(
          error.message,
          /not writable for user \d+: give it to that user \(chown -R\), or run as its owner/,
        );
        return true;
      });
    }
    assert.equal((await driver.getContent('/docker/tag'))?.bytes.toString(), 'content');
  });
  await chmod(root, 0o755);
  await chmod(`${root}/docker`, 0o755);
});

test("somebody else's file that we may write is touched: as root's are with fsGroup", async (t) => {
  const root = await temporaryFolder(t);
  const driver = createFilesystemDriver({ rootDirectory: root });
  await driver.putContent('/link', Buffer.from('content'));
  await chmod(root, 0o755);
  await chmod(`${root}/link`, 0o666);
  await utimes(`${root}/link`, 1, 1);
  await asNobody(async () => assert.equal(await driver.touch('/link'), true));
  const { mtimeMs } = await stat(`${root}/link`);
  assert.ok(Math.abs(mtimeMs - Date.now()) < 60_000, `${mtimeMs}`);
});
