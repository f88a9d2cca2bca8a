import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registryTree } from '#test/support/registry-tree.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { garbageCollect, parseGarbageCollectFlags } from './command.ts';

test('the flags are those of distribution, in any order, and --min-age', () => {
  const none = { dryRun: false, deleteUntagged: false, quiet: false };
  assert.deepEqual(parseGarbageCollectFlags(['config.yml']), { ...none, configFile: 'config.yml' });
  assert.deepEqual(parseGarbageCollectFlags(['-d', '-m', 'c', '-q']), {
    dryRun: true,
    deleteUntagged: true,
    quiet: true,
    configFile: 'c',
  });
  assert.deepEqual(parseGarbageCollectFlags(['--dry-run', '--delete-untagged', '--min-age=1h30m']), {
    ...none,
    dryRun: true,
    deleteUntagged: true,
    minimumAgeMs: 5_400_000,
  });
  for (const bad of [['--min-age', 'soon'], ['--min-age=-1h'], ['--delete'], ['a', 'b']]) {
    assert.throws(() => parseGarbageCollectFlags(bad), Error, bad.join(' '));
  }
});

interface Settings {
  quiet?: boolean;
  dryRun?: boolean;
  signal?: AbortSignal;
  /** Told of each write to standard output. */
  heard?: () => void;
}

async function collected(root: string, { heard, ...more }: Settings = {}) {
  const out = { stdout: '', stderr: '' };
  const code = await garbageCollect({
    dryRun: false,
    deleteUntagged: false,
    quiet: false,
    signal: new AbortController().signal,
    ...more,
    rootDirectory: root,
    minimumAgeMs: 0,
    stdout(text) {
      out.stdout += text;
      heard?.();
    },
    stderr: (text) => (out.stderr += text),
  });
  return { code, ...out };
}

test('more blobs than one thread takes are removed by several, all of them, with a line for each', async (t) => {
  const tree = registryTree(await temporaryFolder(t));
  const kept = tree.blob('kept');
  tree.layerLink('app', kept.digest);
  tree.manifest('app', { layers: [kept] });
  const before = tree.files();
  for (let i = 0; i < 2500; i++) tree.blob(`garbage ${i}`);
  const dry = await collected(tree.root, { dryRun: true });
  assert.equal(tree.files().length, before.length + 2500);
  assert.match(dry.stderr, /dry run: 2500 blobs \(\d+ bytes\) would be removed/);
  const { code, stdout, stderr } = await collected(tree.root);
  assert.equal(code, 0);
  assert.deepEqual(tree.files(), before);
  assert.equal(stdout, dry.stdout);
  assert.equal(stdout.match(/^blob eligible for deletion: sha256:/gm)?.length, 2500);
  assert.match(stderr, /^2500 blobs \(\d+ bytes\), 0 layer links/m);
  assert.equal((await collected(tree.root, { quiet: true })).stdout, '');
});

test('threads that are interrupted stop, and the next run finds what they left', async (t) => {
  const tree = registryTree(await temporaryFolder(t));
  for (let i = 0; i < 2500; i++) tree.blob(`garbage ${i}`);
  const interrupt = new AbortController();
  const { signal } = interrupt;
  // The last line is written just before the removal begins.
  const { code } = await collected(tree.root, { signal, heard: () => setImmediate(() => interrupt.abort()) });
  assert.equal(code, 130);
  const left = tree.files().length;
  assert.ok(left > 0);
  assert.match((await collected(tree.root)).stderr, new RegExp(`^${left} blobs`, 'm'));
  assert.deepEqual(tree.files(), []);
});

test('what is damaged is told of on standard error, and the command succeeds', async (t) => {
  const tree = registryTree(await temporaryFolder(t));
  const { digest } = tree.manifest('app', { layers: [] });
  tree.write(tree.blobPath(digest), '{');
  const { code, stderr } = await collected(tree.root);
  assert.equal(code, 0);
  assert.match(stderr, new RegExp(`^problem: app: ${digest}: the manifest is damaged`, 'm'));
});

test('an interrupted command ends with 130 and says what that means', async (t) => {
  const tree = registryTree(await temporaryFolder(t));
  tree.manifest('app', { layers: [] });
  const { code, stderr } = await collected(tree.root, { signal: AbortSignal.abort() });
  assert.equal(code, 130);
  assert.match(stderr, /interrupted; what it has removed stays removed/);
});

test('an empty storage, or none yet, is no error', async (t) => {
  const { code, stdout } = await collected(await temporaryFolder(t));
  assert.equal(code, 0);
  assert.equal(stdout, '\n0 blobs marked, 0 blobs and 0 manifests eligible for deletion\n');
});
