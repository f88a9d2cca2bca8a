/** The two programs agree: the registry takes every configuration that the operator writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap } from '#operator/children/config-map.ts';
import { parseConfiguration } from '#registry/config/load.ts';
import { registryOf } from '#test/support/registry-fixture.ts';

for (const accessMode of ['ReadWrite', 'ReadOnly']) {
  for (const deletes of ['Enabled', 'Disabled']) {
    for (const logLevel of ['error', 'warn', 'info', 'debug']) {
      test(`${accessMode}, deletes ${deletes}, log ${logLevel}`, () => {
        const source = configMap(registryOf({ server: { accessMode, deletes }, logLevel })).data?.['config.yml'] ?? '';
        const { configuration } = parseConfiguration(source, {});
        assert.equal(configuration.storage.delete.enabled, deletes === 'Enabled');
        assert.equal(configuration.storage.maintenance.readonly.enabled, accessMode === 'ReadOnly');
        assert.equal(configuration.log.level, logLevel);
      });
    }
  }
}

test('garbage collection, in the words of the registry', () => {
  const source = configMap(registryOf({ garbageCollection: { interval: '24h', untagged: 'Delete' } })).data;
  const { configuration } = parseConfiguration(source?.['config.yml'] ?? '', {});
  assert.deepEqual(configuration.extensions.garbagecollection, {
    interval: 86_400_000,
    minage: 3_600_000,
    deleteuntagged: true,
  });
});
