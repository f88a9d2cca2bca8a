/** What the index costs, so that a change which makes it cost more is noticed. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Digest } from '#registry/oci/digest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import * as layout from '#registry/storage/layout.ts';
import { createLogger } from '#shared/logger.ts';
import { eventually } from '#test/support/eventually.ts';
import { createCatalog } from './create-catalog.ts';

const repositories = 100;
const tagsEach = 200;
const KiB = 1024;

/** Each tag has a manifest of its own, and each manifest two blobs besides. */
async function fill(driver: StorageDriver): Promise<void> {
  for (let r = 0; r < repositories; r++) {
    const name = `team-${r % 10}/service-${r}`;
    for (let t = 0; t < tagsEach; t++) {
      const [manifest, ...blobs] = ['manifest', 'config', 'layer'].map((what) => digestOf(`${what} ${r} ${t}`)) as [
        Digest,
      ];
      const tag = `v1.${t}.0-build.${r * tagsEach + t}`;
      for (const digest of [manifest, ...blobs]) await driver.putContent(layout.blobData(digest), Buffer.of(1));
      await driver.putContent(layout.revisionLink(name, manifest), Buffer.from(manifest));
      await driver.putContent(layout.tagLink(name, tag), Buffer.from(manifest));
    }
  }
}

function digestOf(text: string): Digest {
  return `sha256:${createHash('sha256').update(text).digest('hex')}` as Digest;
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('1,000 tags, with a manifest and two blobs each, take less than 350 KiB of memory', async () => {
  const driver = createInMemoryDriver();
  await fill(driver);
  const before = usedBytes();
  const catalog = createCatalog({ driver, logger: createLogger({ level: 'silent' }) });
  await catalog.build(new AbortController().signal);
  assert.equal(catalog.usage().tags, repositories * tagsEach);
  // Buffers are given back by other threads, some time after they were collected.
  await eventually(() => {
    const perThousand = (usedBytes() - before) / ((repositories * tagsEach) / 1000);
    assert.ok(perThousand < 350 * KiB, `${Math.round(perThousand / KiB)} KiB`);
  });
  assert.ok(catalog.usage().complete);
});
