/** Metrics for Prometheus, named as distribution names them where it has them. A registry object of our own: no globals. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Catalog } from '#registry/catalog/catalog.ts';
import { collectionMetrics, type CollectionMetrics } from '#registry/gc/metrics.ts';
import type { ExchangeObserver } from '#registry/http/exchange.ts';
import type { Endpoint } from '#registry/http/path.ts';
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

/** Buckets of docker/go-metrics, which distribution uses. */
const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];
const bytes = Array.from({ length: 22 }, (_, power) => 1024 * 2 ** power);

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

/** Distribution's names of its handlers. */
const handlers: Record<Endpoint, string> = {
  base: 'base',
  catalog: 'catalog',
  tags: 'tags',
  manifest: 'manifest',
  blob: 'blob',
  uploads: 'blob_upload',
  upload: 'blob_upload_chunk',
  referrers: 'referrers',
};

function exchangeMetrics(register: Registry): ExchangeObserver {
  const registers = [register];
  const requests = new Counter({
    name: 'registry_http_requests_total',
    help: 'Total number of HTTP requests made.',
    labelNames: ['handler', 'method', 'code'],
    registers,
  });
  const durations = new Histogram({
    name: 'registry_http_request_duration_seconds',
    help: 'The HTTP request latencies in seconds.',
    labelNames: ['handler', 'method'],
    buckets: seconds,
    registers,
  });
  const size = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ['handler'], buckets: bytes, registers });
  const requestSizes = size('registry_http_request_size_bytes', 'The HTTP request sizes in bytes.');
  const responseSizes = size('registry_http_response_size_bytes', 'The HTTP response sizes in bytes.');
  const inFlight = new Gauge({
    name: 'registry_http_in_flight_requests',
    help: 'The in-flight HTTP requests',
    labelNames: ['handler'],
    registers,
  });
  return {
    started: (endpoint) => inFlight.inc({ handler: handlers[endpoint] }),
    finished({ endpoint, method, status, durationMs, requestBytes, responseBytes }) {
      if (!endpoint) return;
      const handler = handlers[endpoint];
      const lower = methodLabel(method);
      inFlight.dec({ handler });
      requests.inc({ handler, method: lower, code: status });
      durations.observe({ handler, method: lower }, durationMs / 1000);
      requestSizes.observe({ handler }, requestBytes);
      responseSizes.observe({ handler }, responseBytes);
    },
  };
}

const methods: Record<string, string> = {
  GET: 'get',
  HEAD: 'head',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'delete',
  OPTIONS: 'options',
};

/** Clients choose the method: a label for each they think of would be a way to fill our memory. */
function methodLabel(method: string): string {
  return methods[method] ?? 'unknown';
}

function storageMetrics(register: Registry): ObserveAction {
  const actions = new Histogram({
    name: 'registry_storage_action_seconds',
    help: 'The number of seconds that the storage action takes',
    labelNames: ['driver', 'action'],
    buckets: seconds,
    registers: [register],
  });
  return (driver, action, duration) => actions.observe({ driver, action }, duration);
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
