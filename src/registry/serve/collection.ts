/** Puts garbage collection into the running server, where `extensions.garbagecollection.interval` asks for it. */
import type { Catalog } from '#registry/catalog/catalog.ts';
import type { Configuration } from '#registry/config/schema.ts';
import type { ProtectPush } from '#registry/gc/push-protection.ts';
import type { Metrics } from '#registry/metrics.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import type { Logger } from '#shared/logger.ts';

export interface Collection {
  /** The store that requests must use. */
  store: RegistryStore;
  protect: ProtectPush;
  /** Collects now and then until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface CollectionDeps {
  driver: StorageDriver;
  store: RegistryStore;
  catalog: Catalog;
  metrics: Metrics | undefined;
  logger: Logger;
}

/** Milliseconds that a push has, from its first blob to its manifest, where `minage` says nothing. */
const defaultMinimumAge = 3_600_000;

/** `undefined` when it is off. Its code is loaded only where it is on. */
export async function openCollection(
  { storage, extensions }: Configuration,
  { driver, store, catalog, metrics, logger }: CollectionDeps,
): Promise<Collection | undefined> {
  const { interval, minage, deleteuntagged } = extensions.garbagecollection;
  if (interval <= 0 || storage.maintenance.readonly.enabled) return undefined;
  const minimumAgeMs = minage > 0 ? minage : defaultMinimumAge;
  const [{ createCollector }, { createProtection }, { protectedStore }, { createPushProtection }, schedule] =
    await Promise.all([
      import('#registry/gc/collector.ts'),
      import('#registry/gc/protection.ts'),
      import('#registry/gc/protected-store.ts'),
      import('#registry/gc/push-protection.ts'),
      import('#registry/gc/schedule.ts'),
    ]);
  const protection = createProtection({ protectMs: minimumAgeMs });
  const collector = createCollector({
    driver,
    store,
    protection,
    deleteUntagged: deleteuntagged,
    minimumAgeMs,
    logger,
    observer: catalog,
    ...(storage.filesystem ? { rootDirectory: storage.filesystem.rootdirectory } : {}),
    ...(metrics ? { observe: metrics.collections.finished } : {}),
  });
  return {
    store: protectedStore(store, protection),
    protect: createPushProtection(driver, protection),
    run: (signal) =>
      schedule.collectPeriodically(
        { collector, intervalMs: interval, minimumAgeMs, logger, onFailure: () => metrics?.collections.failed() },
        signal,
      ),
  };
}
