import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { quarantinedAt, quarantinedBlob, quarantineRoot } from '#registry/storage/layout.ts';
import { createLogger } from '#shared/logger.ts';
import { digestOf } from '#test/support/stored-content.ts';
import { emptyQuarantine } from './quarantine.ts';

const logger = createLogger({ level: 'silent' });
const found = Date.parse('2026-01-02T03:04:05.678Z');
const digests = [digestOf('a'), digestOf('a', 'sha512')];

async function quarantine() {
  const driver = createInMemoryDriver();
  for (const digest of digests) await driver.putContent(quarantinedBlob(digest, found), Buffer.from('evil'));
  await driver.putContent(`${quarantineRoot}/sha256/notes.txt`, Buffer.from('mine'));
  return driver;
}

test('what was set aside is deleted when it is old enough, and nothing else is', async () => {
  const driver = await quarantine();
  const options = { driver, logger, ageMs: 1000 };
  assert.equal(await emptyQuarantine({ ...options, now: () => found + 999 }), 0);
  assert.equal(await emptyQuarantine({ ...options, now: () => found + 1000 }), 2);
  assert.deepEqual(
    (await driver.list(`${quarantineRoot}/sha256`))?.map(({ name }) => name),
    ['notes.txt'],
  );
});

test('without an age everything is kept; without a quarantine there is nothing to do', async () => {
  assert.equal(await emptyQuarantine({ driver: await quarantine(), logger, ageMs: 0 }), 0);
  assert.equal(await emptyQuarantine({ driver: createInMemoryDriver(), logger, ageMs: 1 }), 0);
});

test('the name of a file in quarantine has its time', () => {
  const [digest = digestOf('a')] = digests;
  assert.equal(quarantinedAt(quarantinedBlob(digest, found).split('/').at(-1) ?? ''), found);
  for (const name of ['', 'notes.txt', `${digest}.never`]) assert.equal(quarantinedAt(name), undefined);
});
