import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogger } from '#shared/logger.ts';
import { eventually } from '#test/support/eventually.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createFolderWatch } from './folder-watch.ts';

test('changes in the root and in the named directories are told, also after they were made anew', async (t) => {
  const root = await temporaryFolder(t);
  let changes = 0;
  const watch = createFolderWatch(root, () => changes++, createLogger({ level: 'silent' }));
  t.after(() => watch.close());
  const told = async (act: () => Promise<unknown>): Promise<void> => {
    watch.watchDirectories(['a:1', 'missing']);
    const before = changes;
    await act();
    await eventually(() => assert.ok(changes > before));
  };
  watch.watchDirectories([]);
  await told(() => mkdir(join(root, 'a:1')));
  await told(() => writeFile(join(root, 'a:1', 'hosts.toml'), 'x'));
  await told(() => writeFile(join(root, 'a:1', 'hosts.toml'), 'y'));
  await told(() => rename(join(root, 'a:1'), join(root, 'b')));
  await told(() => mkdir(join(root, 'a:1')));
  await told(() => writeFile(join(root, 'a:1', 'hosts.toml'), 'x'));
  await told(() => rm(join(root, 'a:1'), { recursive: true }));
});

test('a folder that is not there is no error, and is watched once it is', async (t) => {
  const root = join(await temporaryFolder(t), 'certs.d');
  let changes = 0;
  const watch = createFolderWatch(root, () => changes++, createLogger({ level: 'silent' }));
  t.after(() => watch.close());
  watch.watchDirectories([]);
  await mkdir(root);
  watch.watchDirectories([]);
  await writeFile(join(root, 'x'), '');
  await eventually(() => assert.ok(changes > 0));
});
