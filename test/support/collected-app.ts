/** A registry on a folder, whose garbage is collected while it serves. */
import assert from 'node:assert/strict';
import { createCollector, type Collector } from '#registry/gc/collector.ts';
import { createProtection } from '#registry/gc/protection.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createLogger } from '#shared/logger.ts';
import { registryApp, type TestApp } from './registry-app.ts';
import type { Scope } from './scope.ts';
import { temporaryFolder } from './temporary.ts';

export interface CollectedApp extends TestApp {
  root: string;
  driver: StorageDriver;
  collector(deleteUntagged: boolean): Collector;
}

/** `wrap` gives the driver that the app uses. */
export async function collectedApp(
  t: Scope,
  protectMs = 0,
  wrap = (driver: StorageDriver) => driver,
): Promise<CollectedApp> {
  const root = await temporaryFolder(t);
  const driver = wrap(createFilesystemDriver({ rootDirectory: root }));
  const protection = createProtection({ protectMs });
  const app = await registryApp(t, { driver, protection });
  const collector = (deleteUntagged: boolean) =>
    createCollector({
      driver,
      store: app.store,
      protection,
      rootDirectory: root,
      deleteUntagged,
      minimumAgeMs: 0,
      logger: createLogger({ level: 'silent' }),
      observer: app.catalog,
    });
  return { ...app, root, driver, collector };
}

/** Everything that the manifest leads to, byte for byte. */
export async function pull(app: TestApp, repository: string, reference: string): Promise<void> {
  const got = await app.send('GET', `${repository}/manifests/${reference}`);
  assert.equal(got.statusCode, 200, `${repository} ${reference}: ${got.body}`);
  const {
    manifests = [],
    config,
    layers = [],
  } = got.json<{
    manifests?: { digest: string }[];
    config?: { digest: string };
    layers?: { digest: string }[];
  }>();
  for (const { digest } of manifests) await pull(app, repository, digest);
  for (const { digest } of config ? [config, ...layers] : layers) {
    const blob = await app.send('GET', `${repository}/blobs/${digest}`);
    assert.equal(blob.statusCode, 200, `${repository} ${reference}: blob ${digest} is gone`);
  }
}
