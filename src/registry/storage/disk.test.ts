/** The tree as it lies on disk: what is written, what another registry left, what another process changes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Digest } from '#registry/oci/digest.ts';
import { createLogger } from '#shared/logger.ts';
import { digestOf, imageManifest, pieces } from '#test/support/stored-content.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createFilesystemDriver } from './drivers/filesystem.ts';
import * as layout from './layout.ts';
import { createRegistryStore } from './registry-store.ts';
import { walkRepositories } from './repository-walk.ts';
import type { RepositoryStore } from './store.ts';

interface Disk {
  root: string;
  repository: RepositoryStore;
  /** What another process would do. */
  write: (path: string, content: string) => Promise<void>;
  remove: (path: string) => Promise<void>;
}

async function disk(t: TestContext): Promise<Disk> {
  const root = await temporaryFolder(t);
  const driver = createFilesystemDriver({ rootDirectory: root });
  const store = createRegistryStore({ driver, logger: createLogger({ level: 'silent' }) });
  return {
    root,
    repository: store.repository('a/b'),
    async write(path, content) {
      await mkdir(dirname(root + path), { recursive: true });
      await writeFile(root + path, content);
    },
    remove: (path) => rm(root + path, { recursive: true }),
  };
}

async function push(repository: RepositoryStore, bytes: Uint8Array | string, algorithm?: 'sha512'): Promise<Digest> {
  const upload = await repository.uploads.create(algorithm);
  await upload.append(pieces(bytes));
  return (await upload.commit(digestOf(bytes, algorithm))).digest;
}

async function put(repository: RepositoryStore, salt: string, ...tags: string[]): Promise<Digest> {
  const bytes = imageManifest('{}', salt);
  const digest = digestOf(bytes);
  await repository.manifests.put({ digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes }, { tags });
  return digest;
}

async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((file) => file.slice(root.length)).sort();
}

test('the tree is that of distribution, and nothing more', async (t) => {
  const { root, repository } = await disk(t);
  const [config, large] = [await push(repository, '{}'), await push(repository, '{}', 'sha512')];
  const manifest = await put(repository, '1', 'v1');
  const upload = await repository.uploads.create();
  await upload.append(pieces('part'));

  const hex = (digest: Digest) => digest.split(':')[1]!;
  const tree = '/docker/registry/v2';
  const links = [
    [`${tree}/repositories/a/b/_layers/sha256/${hex(config)}/link`, config],
    [`${tree}/repositories/a/b/_layers/sha512/${hex(large)}/link`, large],
    [`${tree}/repositories/a/b/_manifests/revisions/sha256/${hex(manifest)}/link`, manifest],
    [`${tree}/repositories/a/b/_manifests/tags/v1/current/link`, manifest],
    [`${tree}/repositories/a/b/_manifests/tags/v1/index/sha256/${hex(manifest)}/link`, manifest],
  ] as const;
  const data = [
    `${tree}/blobs/sha256/${hex(config).slice(0, 2)}/${hex(config)}/data`,
    `${tree}/blobs/sha512/${hex(large).slice(0, 2)}/${hex(large)}/data`,
    `${tree}/blobs/sha256/${hex(manifest).slice(0, 2)}/${hex(manifest)}/data`,
  ];
  const session = [`${tree}/repositories/a/b/_uploads/${upload.id}/data`];
  const startedAt = `${tree}/repositories/a/b/_uploads/${upload.id}/startedat`;
  const expected = [...links.map(([path]) => path), ...data, ...session, startedAt].sort();
  assert.deepEqual(await filesBelow(root), expected);
  for (const [path, digest] of links) assert.equal(await readFile(root + path, 'utf8'), digest);
  assert.match(await readFile(root + startedAt, 'utf8'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test('directories get 0777 and files 0666 less the umask, as distribution has it', async (t) => {
  const before = process.umask(0o027);
  t.after(() => process.umask(before));
  const { root, repository } = await disk(t);
  const digest = await push(repository, '{}');
  const modeOf = async (path: string) => (await stat(root + path)).mode & 0o777;
  assert.equal(await modeOf(layout.blobData(digest)), 0o640);
  assert.equal(await modeOf(layout.layerLink('a/b', digest)), 0o640);
  assert.equal(await modeOf(dirname(layout.blobData(digest))), 0o750);
});

test('deletes remove what distribution removes and leave the rest to garbage collection', async (t) => {
  const { root, repository } = await disk(t);
  const blob = await push(repository, '{}');
  const [one, two] = [await put(repository, '1', 'moved', 'gone'), await put(repository, '2', 'moved')];
  await repository.blobs.unlink(blob);
  await repository.manifests.delete(one);
  const left = [
    layout.blobData(blob),
    layout.blobData(one),
    layout.blobData(two),
    layout.revisionLink('a/b', two),
    layout.tagLink('a/b', 'moved'),
    layout.tagIndexLink('a/b', 'moved', one),
    layout.tagIndexLink('a/b', 'moved', two),
  ];
  assert.deepEqual(await filesBelow(root), left.sort());
});

test('a tag that somebody made by hand, without its history, goes with its manifest', async (t) => {
  const { repository, write } = await disk(t);
  const [one, two] = [await put(repository, '1'), await put(repository, '2')];
  await write(layout.tagLink('a/b', 'handmade'), one);
  await write(layout.tagLink('a/b', 'other'), two);
  await repository.manifests.delete(one);
  assert.equal(await repository.tags.resolve('handmade'), undefined);
  assert.equal(await repository.tags.resolve('other'), two);
});

test('a blob that a crash of another registry emptied is missing, and a push heals it', async (t) => {
  const { repository, write } = await disk(t);
  const digest = await push(repository, 'content');
  await write(layout.blobData(digest), '');
  assert.equal(await repository.blobs.stat(digest), undefined);
  assert.equal(await repository.blobs.open(digest), undefined);
  assert.equal(await repository.blobs.mount(digest), undefined);
  await push(repository, 'content');
  assert.equal((await repository.blobs.open(digest))?.content?.toString(), 'content');
});

test('a truncated or garbled blob is never kept by a push', async (t) => {
  const { root, repository, write } = await disk(t);
  for (const bytes of [Buffer.alloc(100, 'x'), Buffer.alloc(100_000, 'y')]) {
    const digest = await push(repository, bytes);
    for (const bad of ['x', 'z'.repeat(bytes.byteLength)]) {
      await write(layout.blobData(digest), bad);
      await push(repository, bytes);
      assert.deepEqual(await readFile(root + layout.blobData(digest)), bytes);
    }
  }
});

test('what is no file is missing, and keeps no thread waiting', async (t) => {
  const { root, repository, remove } = await disk(t);
  for (const [bytes, make] of [
    ['a pipe', (path: string) => execFileSync('mkfifo', [path])],
    ['a directory', (path: string) => mkdir(path)],
    ['a link to nothing', (path: string) => symlink('nothing', path)],
  ] as const) {
    const digest = await push(repository, bytes);
    await remove(layout.blobData(digest));
    await make(root + layout.blobData(digest));
    assert.equal(await repository.blobs.open(digest), undefined, bytes);
    assert.equal(await repository.blobs.stat(digest), undefined, bytes);
  }
});

test('wrong bytes of a small blob or a manifest are not served', async (t) => {
  const { repository, write } = await disk(t);
  const [blob, manifest] = [await push(repository, 'small'), await put(repository, '1')];
  await write(layout.blobData(blob), 'smale');
  await write(layout.blobData(manifest), '{}');
  assert.equal(await repository.blobs.open(blob), undefined);
  assert.equal(await repository.manifests.get(manifest), undefined);
  await push(repository, 'small');
  await put(repository, '1');
  assert.equal((await repository.blobs.open(blob))?.content?.toString(), 'small');
  assert.ok(await repository.manifests.get(manifest));
});

test('a link that a crash emptied is as good as its path, except that of a tag', async (t) => {
  const { repository, write } = await disk(t);
  const [blob, large] = [await push(repository, 'small'), await push(repository, 'small', 'sha512')];
  const manifest = await put(repository, '1', 'v1');
  for (const digest of [blob, large]) await write(layout.layerLink('a/b', digest), '');
  await write(layout.revisionLink('a/b', manifest), '');
  await write(layout.tagLink('a/b', 'v1'), '');
  assert.ok(await repository.blobs.stat(blob));
  assert.ok(await repository.blobs.stat(large));
  assert.ok(await repository.manifests.get(manifest));
  assert.equal(await repository.tags.resolve('v1'), undefined);
  await put(repository, '1', 'v1');
  assert.equal(await repository.tags.resolve('v1'), manifest);
});

test("distribution's alias for sha512, a link with the sha256 digest, is followed", async (t) => {
  const { repository, write } = await disk(t);
  const stored = await push(repository, 'layer');
  const alias = digestOf('layer', 'sha512');
  await write(layout.layerLink('a/b', alias), stored);
  assert.deepEqual(await repository.blobs.stat(alias), { digest: alias, size: 5 });
  const reader = await repository.blobs.open(alias);
  assert.deepEqual([reader?.digest, reader?.content?.toString()], [alias, 'layer']);
});

test('what another process changes on the volume is true at once', async (t) => {
  const { root, repository, write, remove } = await disk(t);
  const blob = await push(repository, 'x');
  const [one, two] = [await put(repository, '1', 'v1'), await put(repository, '2')];
  const link = layout.tagLink('a/b', 'v1');
  const longAgo = new Date(Date.now() - 60_000);
  for (const path of [link, layout.blobData(blob)]) await utimes(root + path, longAgo, longAgo);
  // All of it is in memory now.
  assert.equal(await repository.tags.resolve('v1'), one);
  assert.ok(await repository.blobs.open(blob));
  assert.ok(await repository.manifests.get(one));

  await write(link, two);
  assert.equal(await repository.tags.resolve('v1'), two, 'overwritten in place, as registry 2 does');
  await remove(layout.tagDirectory('a/b', 'v1'));
  assert.equal(await repository.tags.resolve('v1'), undefined);
  await remove(dirname(layout.revisionLink('a/b', one)));
  assert.equal(await repository.manifests.get(one), undefined);
  await remove(dirname(layout.blobData(blob)));
  assert.equal(await repository.blobs.stat(blob), undefined, 'the garbage collection of registry 2 leaves the link');
  assert.equal(await repository.blobs.open(blob), undefined);
  await push(repository, 'x');
  assert.ok(await repository.blobs.open(blob));
});

test('a tag that moves twice within a tick of the clock is never seen wrong', async (t) => {
  const { repository, write } = await disk(t);
  const digests = [await put(repository, '1'), await put(repository, '2')];
  for (let round = 0; round < 200; round++) {
    const digest = digests[round % 2]!;
    await write(layout.tagLink('a/b', 'v1'), digest);
    assert.equal(await repository.tags.resolve('v1'), digest, `round ${round}`);
  }
});

test('a repository that was moved to another disk is found by its symbolic link', async (t) => {
  const { root, repository } = await disk(t);
  await put(repository, '1', 'v1');
  const moved = join(await temporaryFolder(t), 'moved');
  const place = root + layout.repositoryDirectory('a/b');
  await rename(place, moved);
  await symlink(moved, place);
  await symlink('nowhere', `${root}${layout.repositoriesRoot}/a/broken`);
  await symlink('circle', `${root}${layout.repositoriesRoot}/a/circle`);
  const found: string[] = [];
  await walkRepositories(createFilesystemDriver({ rootDirectory: root }), {
    signal: new AbortController().signal,
    visit: async ({ name }) => void found.push(name),
    failed: (name) => assert.fail(name),
  });
  assert.deepEqual(found, ['a/b']);
  assert.ok(await repository.tags.resolve('v1'));
});

test('an upload that another registry began goes on', async (t) => {
  const { repository, write } = await disk(t);
  const id = crypto.randomUUID();
  await write(layout.uploadStartedAt('a/b', id), '2026-01-02T03:04:05Z');
  await write(`${layout.uploadDirectory('a/b', id)}/hashstates/sha256/0`, 'a state of Go');
  assert.equal((await repository.uploads.get(id))?.size, 0);
  await write(layout.uploadData('a/b', id), 'half ');
  const upload = await repository.uploads.get(id);
  assert.equal(upload?.size, 5);
  assert.equal(upload.startedAt.toISOString(), '2026-01-02T03:04:05.000Z');
  await upload.append(pieces('whole'));
  assert.ok(await upload.commit(digestOf('half whole')));
  assert.equal(await repository.uploads.get(id), undefined);
});
