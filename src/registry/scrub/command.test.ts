import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '#shared/logger.ts';
import { registryTree } from '#test/support/registry-tree.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { parseScrubFlags, scrubCommand } from './command.ts';

test('the flags, in any order', () => {
  assert.deepEqual(parseScrubFlags([]), { dryRun: false, quiet: false });
  assert.deepEqual(parseScrubFlags(['-q', 'c.yml', '-d']), { dryRun: true, quiet: true, configFile: 'c.yml' });
  assert.deepEqual(parseScrubFlags(['--dry-run', '--quiet']), { dryRun: true, quiet: true });
  for (const bad of [['--fast'], ['a', 'b']]) assert.throws(() => parseScrubFlags(bad), Error, bad.join(' '));
});

interface More {
  quiet?: boolean;
  dryRun?: boolean;
  signal?: AbortSignal;
}

async function scrubbed(rootDirectory: string, more: More = {}): Promise<{ code: number; stdout: string }> {
  let stdout = '';
  const code = await scrubCommand({
    dryRun: false,
    quiet: false,
    bytesPerSecond: 0,
    logger: createLogger({ level: 'silent' }),
    signal: new AbortController().signal,
    ...more,
    rootDirectory,
    stdout: (text) => (stdout += text),
  });
  return { code, stdout };
}

test('it ends with 0 when all is well, with 1 as long as it finds something', async (t) => {
  const tree = registryTree(await temporaryFolder(t));
  const blob = tree.blob('good');
  tree.layerLink('app', blob.digest);
  tree.blob('');
  assert.deepEqual(await scrubbed(tree.root), {
    code: 0,
    stdout: '2 blobs, 4 bytes\n2 blobs (4 bytes) verified: 0 corrupt, 0 set aside, 0 unreadable\n',
  });
  tree.write(tree.blobPath(blob.digest), 'evil');
  const before = tree.files();
  const dry = await scrubbed(tree.root, { dryRun: true });
  assert.deepEqual([dry.code, tree.files()], [1, before]);
  assert.match(dry.stdout, /: 1 corrupt, 0 set aside/);
  assert.deepEqual(await scrubbed(tree.root, { quiet: true }), { code: 1, stdout: '' });
  assert.ok(!tree.files().includes(tree.blobPath(blob.digest)));
  assert.equal((await scrubbed(tree.root)).code, 0);
});

test('an interrupted command ends with 130', async (t) => {
  const tree = registryTree(await temporaryFolder(t));
  tree.blob('good');
  const { code, stdout } = await scrubbed(tree.root, { signal: AbortSignal.abort() });
  assert.equal(code, 130);
  assert.match(stdout, /interrupted/);
});
