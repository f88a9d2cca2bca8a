/** `registry serve`: configuration -> driver -> stores -> app -> listen -> drain. */
import type { FastifyInstance } from 'fastify';
import type { Server } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { appOptions } from '#registry/app-options.ts';
import { buildApp } from '#registry/app.ts';
import { openAuthenticator } from './authentication.ts';
import { createCatalog } from '#registry/catalog/create-catalog.ts';
import type { Catalog } from '#registry/catalog/catalog.ts';
import { createReferrers, type Referrers } from '#registry/catalog/referrers.ts';
import { configuredChecks } from './checks.ts';
import { openCollection } from './collection.ts';
import type { Configuration } from '#registry/config/schema.ts';
import type { LoadedConfiguration } from '#registry/config/load.ts';
import { buildDebugApp } from './debug-app.ts';
import { createDrain } from './drain.ts';
import { accessLog } from '#registry/http/access-log.ts';
import { startHealth, type Health } from '#registry/http/health.ts';
import { listen } from './listen.ts';
import { createRegistryLogger } from './logging.ts';
import type { Metrics } from '#registry/metrics.ts';
import { openConfiguredNotifications } from './notification-endpoints.ts';
import type { Notifications } from '#registry/notifications/notifications.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import { createInMemoryDriver } from '#registry/storage/drivers/inmemory.ts';
import { instrumentedDriver } from '#registry/storage/instrumented-driver.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import { createUploadPurger } from '#registry/storage/uploads/upload-purger.ts';
import { createRescan } from './rescan.ts';
import { openScrubbing } from './scrubbing.ts';
import { createTlsReload } from './tls-reload.ts';
import { loadTls } from './tls.ts';
import { aborted } from '#shared/lifecycle.ts';
import type { Logger } from '#shared/logger.ts';
import { version } from '#shared/version.ts';

/** Resolves once everything is closed, after `signal` has been aborted. Rejects when it can't start. */
export async function serve({ configuration, warnings }: LoadedConfiguration, signal: AbortSignal): Promise<void> {
  const { log, http } = configuration;
  const logger = createRegistryLogger({ ...log, level: log.level || configuration.loglevel || 'info' });
  for (const warning of warnings) logger.warn(warning);
  const background = new AbortController();
  const {
    app,
    debug,
    storage,
    rescan,
    background: tasks,
  } = await assemble(configuration, logger, {
    stopping: signal,
    stopped: background.signal,
  });
  const drain = createDrain(app);
  // A SIGHUP for which nobody listens ends the process: whoever sees the server answer may send one.
  const work: Promise<unknown>[] = [rescan.run(background.signal)];
  try {
    logger.info({ address: await listen(app, http), version }, 'listening');
    if (http.debug.addr !== '') {
      const address = await listen(debug, { net: 'tcp', addr: http.debug.addr });
      logger.info({ address }, 'debug server listening');
    }
    work.push(runBackground(configuration, storage, logger, background.signal));
    for (const task of tasks) if (task) work.push(task.run(background.signal));
    await aborted(signal);
    logger.info(`stopping; running requests have ${http.draintimeout / 1000} s`);
  } finally {
    await drain(http.draintimeout);
    background.abort();
    await Promise.all(work);
    await storage.store.close();
    await debug.close();
  }
  logger.info('stopped');
}

interface Signals {
  /** No longer ready: requests are finished, new ones are not expected. */
  stopping: AbortSignal;
  /** The end of work in the background. */
  stopped: AbortSignal;
}

interface Background {
  run(signal: AbortSignal): Promise<void>;
}

interface Parts {
  app: FastifyInstance;
  debug: FastifyInstance;
  storage: Storage;
  rescan: Background;
  /** Run until the server has drained. */
  background: (Background | undefined)[];
}

async function assemble(configuration: Configuration, logger: Logger, signals: Signals): Promise<Parts> {
  const { log, http } = configuration;
  const tls = await loadTls(http.tls);
  const metrics = await loadMetrics(http.debug);
  const plain = openStorage(configuration, logger, metrics);
  const collection = await openCollection(configuration, { ...plain, metrics, logger });
  const storage = { ...plain, ...(collection ? { store: collection.store } : {}) };
  const events = await openConfiguredNotifications(configuration, metrics, logger);
  const checks = configuredChecks(configuration.health, storage.driver.name, storage.store);
  const health = startHealth(checks, signals.stopped);
  const app = buildApp({
    ...storage,
    protect: collection?.protect,
    events,
    authenticator: await openAuthenticator(configuration.auth, logger),
    logger,
    observers: [accessLog(logger, log.accesslog.disabled), ...(metrics ? [metrics.exchanges] : [])],
    checkHealth: health.assert,
    options: { ...appOptions(configuration), ...(tls ? { tls } : {}) },
  });
  const { path } = http.debug.prometheus;
  const debug = debugApp({ ...storage, health, metrics, path, events, signal: signals.stopping });
  const server = app.server as unknown as Server;
  const certificates = tls && createTlsReload({ tls: http.tls, current: tls.options, server, logger });
  const rescan = createRescan(storage.catalog, logger);
  const scrubbing = await openScrubbing(configuration, { ...storage, metrics, logger });
  return { app, debug, storage, rescan, background: [collection, scrubbing, events, certificates] };
}

interface Storage {
  driver: StorageDriver;
  store: RegistryStore;
  catalog: Catalog;
  referrers: Referrers;
}

function openStorage({ storage, extensions }: Configuration, logger: Logger, metrics: Metrics | undefined): Storage {
  const plain = storage.filesystem
    ? createFilesystemDriver({ rootDirectory: storage.filesystem.rootdirectory })
    : createInMemoryDriver();
  const driver = metrics ? instrumentedDriver(plain, metrics.storage) : plain;
  const catalog = createCatalog({ driver, logger });
  const store = createRegistryStore({
    driver,
    observers: [catalog],
    cacheBytes: extensions.cache.bytes,
    observeCache: metrics?.cache,
    logger,
  });
  metrics?.watch(catalog, store);
  return { driver, store, catalog, referrers: createReferrers({ driver, store }) };
}

/** prom-client is loaded only by those who use it: it is a good part of a start. */
async function loadMetrics({ addr, prometheus }: Configuration['http']['debug']): Promise<Metrics | undefined> {
  if (addr === '' || !prometheus.enabled) return undefined;
  const { createMetrics } = await import('#registry/metrics.ts');
  return createMetrics();
}

interface DebugParts extends Storage {
  health: Health;
  metrics: Metrics | undefined;
  /** `http.debug.prometheus.path`. */
  path: string;
  events: Notifications | undefined;
  signal: AbortSignal;
}

function debugApp({ catalog, store, health, metrics, path, events, signal }: DebugParts): FastifyInstance {
  return buildDebugApp({
    catalog,
    store,
    healthFailures: health.failures,
    async notReady() {
      if (signal.aborted) return { lifecycle: 'stopping' };
      try {
        await store.check();
        return health.failures();
      } catch (error) {
        return { storage: (error as Error).message };
      }
    },
    ...(metrics ? { metrics: { ...metrics, path } } : {}),
    ...(events ? { endpointVariables: () => events.variables() } : {}),
  });
}

/** The index is built while requests are served; then abandoned uploads are looked for, now and then. */
async function runBackground(
  { storage }: Configuration,
  { catalog, driver }: Storage,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  await buildIndex(catalog, logger, signal);
  const { uploadpurging, readonly } = storage.maintenance;
  if (!uploadpurging.enabled || readonly.enabled) return;
  const purger = createUploadPurger({ driver, logger, ageMs: uploadpurging.age, dryRun: uploadpurging.dryrun });
  await purger.run(uploadpurging.interval, signal);
}

/** Milliseconds until another try, when nothing at all could be read: a network volume that comes later than we. */
const rebuildMs = 10_000;

async function buildIndex(catalog: Catalog, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await catalog.build(signal);
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error }, 'the index could not be built and will be tried again');
    }
    await delay(rebuildMs, undefined, { signal }).catch(() => {});
  }
}
