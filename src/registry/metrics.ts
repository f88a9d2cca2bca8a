/** Metrics for Prometheus, named as distribution names them where it has them. A registry object of our own: no globals. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Catalog } from '#registry/catalog/catalog.ts';
import { collectionMetrics, type CollectionMetrics } from '#registry/gc/metrics.ts';
import type { ExchangeObserver } from '#registry/http/exchange.ts';
import { exchangeMetrics } from './exchange-metrics.ts';
import { createHistogram, secondsBuckets } from './histogram.ts';
import { notificationMetrics } from '#registry/notifications/metrics.ts';
import type { NotificationsObserver } from '#registry/notifications/notifications.ts';
import { scrubMetrics, type ScrubMetrics } from '#registry/scrub/metrics.ts';
import type { ObserveCache } from '#registry/storage/counted-cache.ts';
import type { ObserveAction } from '#registry/storage/instrumented-driver.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import { version } from '#shared/version.ts';

export interface Metrics {
  /** Counts the requests. */
  readonly exchanges: ExchangeObserver;
  /** Counts notifications. */
  readonly notifications: NotificationsObserver;
  /** Counts garbage collections of the server. */
  readonly collections: CollectionMetrics;
  /** Counts what scrubs of the server have verified. */
  readonly scrubs: ScrubMetrics;
  /** Counts what the storage driver does. */
  readonly storage: ObserveAction;
  /** Counts the looks into the memory for manifests, small blobs and links. */
  readonly cache: ObserveCache;
  /** Adds the figures of the index and the volume, read when they are asked for. */
  watch(catalog: Catalog, store: RegistryStore): void;
  /** The text of the exposition format. */
  render(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  const register = new Registry();
  collectDefaultMetrics({ register });
  new Gauge({ name: 'registry_info', help: 'The version that runs', labelNames: ['version'], registers: [register] })
    .labels({ version })
    .set(1);
  return {
    exchanges: exchangeMetrics(register),
    notifications: notificationMetrics(register),
    collections: collectionMetrics(register),
    scrubs: scrubMetrics(register),
    storage: storageMetrics(register),
    cache: cacheMetrics(register),
    watch: (catalog, store) => contentMetrics(register, catalog, store),
    render: () => register.metrics(),
    contentType: register.contentType,
  };
}

function storageMetrics(register: Registry): ObserveAction {
  const observe = createHistogram({
    name: 'registry_storage_action_seconds',
    help: 'The number of seconds that the storage action takes',
    labelNames: ['driver', 'action'],
    buckets: secondsBuckets,
    register,
  });
  return (driver, action, duration) => observe(duration, driver, action);
}

/** Distribution counts its cache of descriptors so; ours is in memory and has no errors, but dashboards ask for them. */
function cacheMetrics(register: Registry): ObserveCache {
  const counts = { requests: 0, hits: 0, errors: 0 };
  const counter = (what: keyof typeof counts) =>
    new Counter({
      name: `registry_storage_cache_${what}_total`,
      help: `The number of cache ${what}`,
      registers: [register],
      collect() {
        this.reset();
        this.inc(counts[what]);
      },
    });
  counter('requests');
  counter('hits');
  counter('errors');
  return (hit) => {
    counts.requests++;
    if (hit) counts.hits++;
  };
}

/** Of our own: distribution says nothing of what it holds. */
function contentMetrics(register: Registry, catalog: Catalog, store: RegistryStore): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `registry_content_${name}`,
      help,
      registers: [register],
      collect() {
        this.set(read());
      },
    });
  gauge('index_complete', '1 once the index of the storage has been built', () => Number(catalog.usage().complete));
  gauge('repositories', 'Repositories', () => catalog.usage().repositories);
  gauge('tags', 'Tags of all repositories', () => catalog.usage().tags);
  gauge('manifests', 'Manifests of all repositories', () => catalog.usage().manifests);
  gauge('blobs', 'Blobs, each counted once', () => catalog.usage().blobs);
  gauge('bytes', 'Bytes of all blobs, each counted once', () => catalog.usage().bytes);
  const volume = new Gauge({
    name: 'registry_storage_volume_bytes',
    help: 'Bytes of the volume that holds the storage',
    labelNames: ['state'],
    registers: [register],
    async collect() {
      const space = await store.space();
      if (!space) return;
      volume.set({ state: 'capacity' }, space.capacity);
      volume.set({ state: 'free' }, space.free);
    },
  });
}
