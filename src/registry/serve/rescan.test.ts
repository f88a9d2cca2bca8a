import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalog } from '#registry/catalog/create-catalog.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { createLogger } from '#shared/logger.ts';
import { eventually } from '#test/support/eventually.ts';
import { createRescan } from './rescan.ts';

const logger = createLogger({ level: 'silent' });

test('a SIGHUP while a rescan runs is ignored; the next one after it is not; the end is waited for', async () => {
  const catalog = createCatalog({ driver: createInMemoryDriver(), logger });
  const builds: PromiseWithResolvers<void>[] = [];
  const build = async () => {
    const gate = Promise.withResolvers<void>();
    builds.push(gate);
    await gate.promise;
  };
  const stop = new AbortController();
  const running = createRescan({ ...catalog, build }, logger).run(stop.signal);
  process.emit('SIGHUP');
  process.emit('SIGHUP');
  assert.equal(builds.length, 1);
  builds[0]?.resolve();
  await eventually(() => {
    process.emit('SIGHUP');
    assert.equal(builds.length, 2);
  });
  stop.abort();
  let ended = false;
  const end = running.then(() => (ended = true));
  await Promise.resolve();
  assert.equal(ended, false);
  builds[1]?.reject(new Error('stopped'));
  await end;
  assert.equal(process.listenerCount('SIGHUP'), 0);
});
