/** Puts the scrub into the running server, where `extensions.scrub.interval` asks for it. */
import type { Configuration } from '#registry/config/schema.ts';
import type { Metrics } from '#registry/metrics.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import type { Logger } from '#shared/logger.ts';

export interface Scrubbing {
  /** Scrubs now and then until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ScrubbingDeps {
  driver: StorageDriver;
  store: RegistryStore;
  metrics: Metrics | undefined;
  logger: Logger;
}

/** `undefined` when it is off. Its code is loaded only where it is on. A registry that is read-only only tells. */
export async function openScrubbing(
  { storage, extensions }: Configuration,
  { driver, store, metrics, logger }: ScrubbingDeps,
): Promise<Scrubbing | undefined> {
  const { interval, bytespersecond, quarantineage } = extensions.scrub;
  if (interval <= 0) return undefined;
  const { scrubPeriodically } = await import('#registry/scrub/schedule.ts');
  const watched = metrics && {
    observe: metrics.scrubs,
    onFinished: metrics.scrubs.finished,
    onFailure: metrics.scrubs.failed,
  };
  const options = {
    driver,
    store,
    logger,
    bytesPerSecond: bytespersecond,
    dryRun: storage.maintenance.readonly.enabled,
    intervalMs: interval,
    quarantineAgeMs: quarantineage,
    ...watched,
  };
  return { run: (signal) => scrubPeriodically(options, signal) };
}
