import assert from 'node:assert/strict';
import { mkdir, rename, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import type { Digest, DigestAlgorithm } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import * as layout from '#registry/storage/layout.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import { createLogger } from '#shared/logger.ts';
import { digestOf, imageManifest } from '#test/support/stored-content.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createReferrers, type Referrers } from './referrers.ts';

const logger = createLogger({ level: 'silent' });
const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const subject = digestOf('subject');

interface Registry {
  driver: StorageDriver;
  store: RegistryStore;
  referrers: Referrers;
  /** Calls of the driver since the last time that it was asked, by name. */
  calls: () => Record<string, number>;
}

function start(rootDirectory: string): Registry {
  let counts: Record<string, number> = {};
  const files = createFilesystemDriver({ rootDirectory });
  const counted = <T>(name: string, result: T): T => {
    counts[name] = (counts[name] ?? 0) + 1;
    return result;
  };
  const driver: StorageDriver = {
    ...files,
    stat: (path) => counted('stat', files.stat(path)),
    list: (path) => counted('list', files.list(path)),
    getContent: (path) => counted('getContent', files.getContent(path)),
    open: (path) => counted('open', files.open(path)),
  };
  const store = createRegistryStore({ driver, logger });
  const calls = () => {
    const before = counts;
    counts = {};
    return before;
  };
  return { driver, store, calls, referrers: createReferrers({ driver, store }) };
}

function manifest(name: string, pointsAt: Digest): Buffer {
  const image = JSON.parse(imageManifest('{}', name).toString()) as object;
  return Buffer.from(JSON.stringify({ ...image, subject: { mediaType, digest: pointsAt, size: 1 } }));
}

async function push(
  { store }: Registry,
  name: string,
  pointsAt: Digest = subject,
  algorithm: DigestAlgorithm = 'sha256',
): Promise<Digest> {
  const bytes = manifest(name, pointsAt);
  const digest = digestOf(bytes, algorithm);
  await store.repository('a').manifests.put({ digest, mediaType, bytes }, { tags: [] });
  return digest;
}

async function listed({ referrers }: Registry): Promise<Digest[]> {
  return (await referrers.of('a', subject)).map(({ digest }) => digest);
}

/** Until a later change of the directories is sure to show. */
const settled = ({ driver }: Registry) => delay(driver.tickMs * 2);

test('what is asked again takes as many looks as there are directories and results, whatever else is there', async (t) => {
  const registry = start(await temporaryFolder(t));
  for (let number = 0; number < 300; number++) await push(registry, `other ${number}`, digestOf(`${number}`));
  const own = [await push(registry, 'first'), await push(registry, 'second')].sort();
  assert.deepEqual(await listed(registry), own);
  await settled(registry);
  assert.deepEqual(await listed(registry), own);
  registry.calls();
  assert.deepEqual(await listed(registry), own);
  const { list = 0, open = 0, stat = 0, getContent = 0 } = registry.calls();
  assert.deepEqual({ list, open }, { list: 0, open: 0 });
  assert.ok(stat + getContent <= 10, `${stat} looks, ${getContent} files read`);
});

test('changes of another process are found, each by the next request', async (t) => {
  const root = await temporaryFolder(t);
  const registry = start(root);
  const other = start(root);
  const found = new Set<Digest>();
  assert.deepEqual(await listed(registry), []);
  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (let number = 0; number < 5; number++) {
      // At once after the last listing, and when that one may be trusted.
      if (number % 2) await settled(registry);
      found.add(await push(other, `${algorithm} ${number}`, subject, algorithm));
      assert.deepEqual(await listed(registry), [...found].sort());
    }
  }
  await settled(registry);
  await listed(registry);
  for (const digest of found) {
    await other.store.repository('a').manifests.delete(digest);
    found.delete(digest);
    assert.deepEqual(await listed(registry), [...found].sort());
  }
  await settled(registry);
  assert.deepEqual(await listed(registry), []);
  const again = await push(other, 'sha256 0');
  assert.deepEqual(await listed(registry), [again]);
});

test('a link that comes when its directory is there already changes nothing above it, and is found', async (t) => {
  const root = await temporaryFolder(t);
  const registry = start(root);
  const digest = await push(registry, 'first');
  const link = join(root, layout.revisionLink('a', digest));
  const aside = join(root, 'aside');
  await rename(link, aside);
  const before = new Date('2026-01-01');
  for (const folder of [dirname(dirname(link)), dirname(dirname(dirname(link)))]) await utimes(folder, before, before);
  const later = start(root);
  assert.deepEqual(await listed(later), []);
  assert.deepEqual(await listed(later), []);
  await rename(aside, link);
  assert.deepEqual(await listed(later), [digest]);
});

test('a repository that is not there yet, with and without its directory', async (t) => {
  const root = await temporaryFolder(t);
  const registry = start(root);
  assert.deepEqual(await listed(registry), []);
  await mkdir(join(root, layout.revisionsDirectory('a')), { recursive: true });
  await settled(registry);
  assert.deepEqual(await listed(registry), []);
  assert.deepEqual(await listed(registry), []);
  const digest = await push(start(root), 'first');
  assert.deepEqual(await listed(registry), [digest]);
});

test('many at once, of a repository that is new to the registry', async (t) => {
  const root = await temporaryFolder(t);
  const other = start(root);
  const own = [];
  for (let number = 0; number < 20; number++) own.push(await push(other, `${number}`));
  const registry = start(root);
  const answers = await Promise.all(Array.from({ length: 30 }, () => listed(registry)));
  for (const answer of answers) assert.deepEqual(answer, own.sort());
  assert.ok((registry.calls()['list'] ?? 0) <= 30 * 2);
});
