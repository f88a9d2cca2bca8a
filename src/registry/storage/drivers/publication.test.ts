/** The order in which a push reaches the disk, as it is made on a real one: what a power failure at any moment would leave. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Digest } from '#registry/oci/digest.ts';
import { blobData, layerLink, revisionLink, tagIndexLink, tagLink } from '#registry/storage/layout.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import { createLogger } from '#shared/logger.ts';
import { digestOf, imageManifest, pieces } from '#test/support/stored-content.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { diskOperations, type DiskOperations } from './disk-operations.ts';
import { createFilesystemDriver } from './filesystem.ts';

interface Disk {
  operations: DiskOperations;
  /** Called when a rename begins, with its target. */
  onRename: (path: string) => void;
  /** The file is in its place, with its content, in directories that are synced: it survives a power failure. */
  isDurable(path: string): boolean;
  /** How often somebody had to wait for the disk because nothing else was under way. */
  waits: number;
  forget(): void;
}

/** Knows what is on disk: content that was synced, and names in directories that were synced after they came to be. */
function observedDisk(root: string): Disk {
  const real = diskOperations(true);
  const content = new Set<string>();
  const renamed = new Set<string>();
  const names = new Set<string>();
  let running = 0;

  async function waiting<T>(action: () => Promise<T>): Promise<T> {
    if (running++ === 0) disk.waits++;
    try {
      await delay(2);
      return await action();
    } finally {
      running--;
    }
  }

  const disk: Disk = {
    waits: 0,
    onRename: () => {},
    isDurable(path) {
      if (!content.has(path) || !names.has(path)) return false;
      for (let at = dirname(path); at !== '/'; at = dirname(at)) if (!names.has(at)) return false;
      return true;
    },
    forget() {
      disk.waits = 0;
    },
    operations: {
      async write(file, bytes) {
        await waiting(() => real.write(file, bytes));
        content.add(file.slice(root.length));
      },
      async rename(from, to) {
        const path = to.slice(root.length);
        disk.onRename(path);
        assert.ok(content.has(from.slice(root.length)), `the content of ${path} is on disk before its name`);
        await real.rename(from, to);
        content.add(path);
        renamed.add(path);
      },
      async sync(absolute) {
        const path = absolute.slice(root.length) || '/';
        const entries = [...renamed].filter((file) => dirname(file) === path);
        const below = [...renamed].flatMap((file) => directoriesOf(file)).filter((at) => dirname(at) === path);
        await waiting(() => real.sync(absolute));
        content.add(path);
        for (const name of [...entries, ...below]) names.add(name);
      },
    },
  };
  return disk;
}

function directoriesOf(path: string): string[] {
  const above = dirname(path);
  return above === '/' ? [] : [above, ...directoriesOf(above)];
}

async function push(t: TestContext) {
  const root = await temporaryFolder(t);
  const disk = observedDisk(root);
  const driver = createFilesystemDriver({ rootDirectory: root, isLocal: true, disk: disk.operations });
  const repository = createRegistryStore({ driver, logger: createLogger({ level: 'silent' }) }).repository('a');
  const blob = async (bytes: string): Promise<Digest> => {
    const upload = await repository.uploads.create();
    await upload.append(pieces(bytes));
    return (await upload.commit(digestOf(bytes))).digest;
  };
  const manifest = async (salt: string, ...tags: string[]): Promise<Digest> => {
    const bytes = imageManifest('{}', salt);
    const digest = digestOf(bytes);
    await repository.manifests.put(
      { digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes },
      { tags },
    );
    return digest;
  };
  return { disk, blob, manifest };
}

test('a link of a blob gets its name when the data is durable, and is durable when the push is acknowledged', async (t) => {
  const { disk, blob } = await push(t);
  const digest = digestOf('layer');
  const before: boolean[] = [];
  disk.onRename = (path) => {
    if (path === layerLink('a', digest)) before.push(disk.isDurable(blobData(digest)));
  };
  await blob('layer');
  assert.deepEqual(before, [true]);
  assert.ok(disk.isDurable(layerLink('a', digest)));
});

test('a tag gets its name when its manifest and its history are durable, and a manifest when its content is', async (t) => {
  const { disk, manifest } = await push(t);
  const bytes = imageManifest('{}', 'x');
  const digest = digestOf(bytes);
  const order: string[] = [];
  disk.onRename = (path) => {
    const durable = [blobData(digest), revisionLink('a', digest)].filter((file) => disk.isDurable(file)).length;
    order.push(`${durable} ${path}`);
  };
  await manifest('x', 'v1', 'v2');
  const histories = ['v1', 'v2'].map((tag) => tagIndexLink('a', tag, digest));
  const tags = ['v1', 'v2'].map((tag) => tagLink('a', tag));
  assert.deepEqual(order.toSorted(), [
    `0 ${blobData(digest)}`,
    ...[revisionLink('a', digest), ...histories].map((path) => `1 ${path}`).toSorted(),
    ...tags.map((path) => `2 ${path}`),
  ]);
  for (const path of [...histories, ...tags]) assert.ok(disk.isDurable(path), path);
});

test('a push waits for the disk three times for a blob, and four times for a manifest with all its tags', async (t) => {
  const { disk, blob, manifest } = await push(t);
  for (const round of ['first', 'second']) {
    disk.forget();
    await blob(round);
    assert.equal(disk.waits, 3);
    disk.forget();
    await manifest(round, 'v1', 'v2', 'v3');
    assert.equal(disk.waits, 4);
  }
});
