import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { blobData, lastScrub } from '#registry/storage/layout.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import { createLogger } from '#shared/logger.ts';
import { eventually } from '#test/support/eventually.ts';
import { digestOf } from '#test/support/stored-content.ts';
import { scrubPeriodically } from './schedule.ts';

const logger = createLogger({ level: 'silent' });
const hour = 3_600_000;

interface Schedule {
  runs: () => number;
  failures: () => number;
  stop: () => Promise<void>;
}

function schedule(driver: StorageDriver, intervalMs: number): Schedule {
  const stop = new AbortController();
  const counts = { runs: 0, failures: 0 };
  const store = createRegistryStore({ driver, logger });
  const options = {
    driver,
    store,
    logger,
    bytesPerSecond: 0,
    dryRun: false,
    intervalMs,
    quarantineAgeMs: 0,
    onFinished: () => counts.runs++,
    onFailure: () => counts.failures++,
  };
  const running = scrubPeriodically(options, stop.signal);
  return {
    runs: () => counts.runs,
    failures: () => counts.failures,
    async stop() {
      stop.abort();
      await running;
    },
  };
}

test('the first scrub comes at once, the next after the interval, over a restart', async () => {
  const driver = createInMemoryDriver();
  const first = schedule(driver, hour);
  await eventually(async () => assert.ok(await driver.stat(lastScrub)));
  await first.stop();
  assert.equal(first.runs(), 1);

  const early = schedule(driver, hour);
  const often = schedule(driver, 1);
  await eventually(() => assert.ok(often.runs() >= 3));
  await Promise.all([early.stop(), often.stop()]);
  assert.equal(early.runs(), 0);
});

test('what can not be read of the last scrub is taken for long ago', async () => {
  for (const content of ['', '{', '{"ended":"never"}', `{"ended":"${new Date(Date.now() + hour).toISOString()}"}`]) {
    const driver = createInMemoryDriver();
    await driver.putContent(lastScrub, Buffer.from(content));
    const { runs, stop } = schedule(driver, hour);
    await eventually(() => assert.equal(runs(), 1), { intervalMs: 1 });
    await stop();
  }
});

test('a scrub that fails is not the last one', async () => {
  const driver = createInMemoryDriver();
  const list: StorageDriver['list'] = async () => {
    throw new Error('EIO');
  };
  const { failures, stop } = schedule({ ...driver, list }, 1);
  await eventually(() => assert.ok(failures() >= 2));
  await stop();
  assert.equal(await driver.stat(lastScrub), undefined);
});

test('a scrub that is interrupted again and again reaches the end all the same', async () => {
  const driver = createInMemoryDriver();
  const digests = Array.from({ length: 40 }, (_, number) => digestOf(`${number}`));
  for (const [number, digest] of digests.entries()) await driver.putContent(blobData(digest), Buffer.from(`${number}`));
  const seen = new Map<string, number>();
  let lives = 0;
  for (; !(await ended(driver)); lives++) {
    const stop = new AbortController();
    let verified = 0;
    const open: StorageDriver['open'] = async (path) => {
      seen.set(path, (seen.get(path) ?? 0) + 1);
      if (++verified === 5) stop.abort();
      return driver.open(path);
    };
    const store = createRegistryStore({ driver, logger });
    const options = {
      store,
      logger,
      bytesPerSecond: 0,
      dryRun: false,
      intervalMs: hour,
      quarantineAgeMs: 0,
      noteMs: 0,
    };
    const onFinished = () => setImmediate(() => stop.abort());
    await scrubPeriodically({ ...options, driver: { ...driver, open }, onFinished }, stop.signal);
    assert.ok(lives < 40, 'it never comes to an end');
  }
  assert.ok(lives >= 8);
  assert.equal(seen.size, digests.length);
  // Only what was on the shelf of the interruption is verified twice.
  assert.ok(Math.max(...seen.values()) <= 3);
});

async function ended(driver: StorageDriver): Promise<boolean> {
  const state = await driver.getContent(lastScrub);
  return state !== undefined && 'ended' in (JSON.parse(state.bytes.toString()) as object);
}
