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
