/**
 * Puts a program together from caches and controllers, and runs them in order. How a main wires it:
 *
 *     const registry = new Registry();                        // prom-client
 *     const metrics = createRuntimeMetrics(registry);
 *     const client = createKubeClient({ credentials: await defaultCredentials(env), observer: metrics.kube });
 *     const manager = createManager({ client, log, registry, metrics, healthAddress, metricsAddress, leaderElection });
 *     const widgets = manager.cache<Widget>(widgetType, { namespaces });
 *     const controller = manager.controller({ name: 'widget', reconciler: createWidgetReconciler({ client, widgets }) });
 *     controller.watch(widgets, (widget) => [widget.metadata]);
 *     await manager.run(signal);
 */
import type { Registry } from 'prom-client';
import { type Clock, systemClock } from '#shared/clock.ts';
import { type EndpointServer, serveEndpoints } from '#shared/endpoints.ts';
import type { Cache, Reflector } from '#shared/kube/cache.ts';
import type { KubeClient, KubeObject, ListOptions, ResourceType } from '#shared/kube/kube-client.ts';
import { mergedCache } from '#shared/kube/merged-cache.ts';
import { createReflector } from '#shared/kube/reflector.ts';
import { aborted } from '#shared/lifecycle.ts';
import type { Logger } from '#shared/logger.ts';
import type { ListenAddress } from '#shared/settings.ts';
import { type Controller, type ControllerOptions, createController } from './controller.ts';
import { answerChecks, type Check } from './health.ts';
import { runAsLeader } from './leader-election.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { runTogether } from './run-together.ts';

export interface ManagerOptions {
  client: KubeClient;
  log: Logger;
  /** What /metrics shows. */
  registry: Registry;
  metrics: RuntimeMetrics;
  /** /livez, /healthz, /readyz; none when omitted. */
  healthAddress?: ListenAddress;
  /** /metrics; none when omitted. */
  metricsAddress?: ListenAddress;
  /** The Lease under which controllers run, and who we are; they run at once when omitted. */
  leaderElection?: { namespace: string; name: string; identity: string };
  /** A reflector that heard nothing for so many milliseconds makes /livez fail. */
  silenceLimitMs?: number;
  /** Milliseconds for the controllers to end after an abort. */
  drainMs?: number;
  clock?: Clock;
}

interface CacheOptions extends Omit<ListOptions, 'namespace'> {
  /** All when empty or omitted. */
  namespaces?: string[];
}

type Runnable = (signal: AbortSignal) => Promise<void>;

export interface Manager {
  /** A cache of a kind, filled while the manager runs. */
  cache<T extends KubeObject>(type: ResourceType, options?: CacheOptions): Cache<T>;
  /** A controller that runs while we lead, once all caches are complete. */
  controller(options: Omit<ControllerOptions, 'log' | 'metrics' | 'clock'>): Controller;
  /** Anything else that runs while we lead; it ends when its signal aborts. */
  add(runnable: Runnable): void;
  addLiveCheck(name: string, check: Check): void;
  addReadyCheck(name: string, check: Check): void;
  /**
   * Health and metrics, caches, leadership, controllers; after an abort the same backwards. Rejects, with everything
   * stopped, when any of them failed, an address is taken or the leadership was lost.
   */
  run(signal: AbortSignal): Promise<void>;
}

export function createManager(options: ManagerOptions): Manager {
  const { client, log, metrics, clock = systemClock, silenceLimitMs = 600_000 } = options;
  const reflectors: Reflector<KubeObject>[] = [];
  const runnables: Runnable[] = [];
  const live = new Map<string, Check>([['ping', () => undefined]]);
  const ready = new Map<string, Check>();

  function reflect<T extends KubeObject>(type: ResourceType, list: ListOptions): Reflector<T> {
    const reflector = createReflector<T>({ client, type, list, log, observer: metrics.kube, clock });
    reflectors.push(reflector);
    const why = (): string => (reflector.problem === undefined ? '' : ` (${reflector.problem})`);
    const silent = (): string => `silent for ${Math.round(reflector.silentMs / 1000)} s${why()}`;
    live.set(`watch of ${reflector.what}`, () => (reflector.silentMs > silenceLimitMs ? silent() : undefined));
    ready.set(`list of ${reflector.what}`, () => (reflector.synced ? undefined : `not complete yet${why()}`));
    return reflector;
  }

  return {
    cache<T extends KubeObject>(type: ResourceType, { namespaces = [], ...list }: CacheOptions = {}) {
      if (namespaces.length === 0) return reflect<T>(type, list);
      return mergedCache(namespaces.map((namespace) => reflect<T>(type, { ...list, namespace })));
    },
    controller(own) {
      const controller = createController({ ...own, log, metrics: metrics.controller(own.name), clock });
      runnables.push((signal) => controller.run(signal));
      return controller;
    },
    add: (runnable) => runnables.push(runnable),
    addLiveCheck: (name, check) => live.set(name, check),
    addReadyCheck: (name, check) => ready.set(name, check),
    async run(signal) {
      const servers = await serve(options, live, ready);
      try {
        await runGroups(options, reflectors, runnables, signal);
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
    },
  };
}

async function serve(
  { healthAddress, metricsAddress, registry, log }: ManagerOptions,
  live: Map<string, Check>,
  ready: Map<string, Check>,
): Promise<EndpointServer[]> {
  const servers: EndpointServer[] = [];
  const listen = async (what: string, ...[address, endpoints]: Parameters<typeof serveEndpoints>): Promise<void> => {
    const server = await serveEndpoints(address, endpoints);
    servers.push(server);
    log.info({ address: `${address.host}:${server.port}` }, `${what} served`);
  };
  try {
    const livez = () => answerChecks(live);
    const readyz = () => answerChecks(ready);
    if (healthAddress) await listen('health', healthAddress, { '/livez': livez, '/healthz': livez, '/readyz': readyz });
    const show = async () => ({ status: 200, body: await registry.metrics(), type: registry.contentType });
    if (metricsAddress) await listen('metrics', metricsAddress, { '/metrics': show });
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
  return servers;
}

/** Caches run from before the controllers until after them, so that a drain still sees the world. */
async function runGroups(
  options: ManagerOptions,
  reflectors: Reflector<KubeObject>[],
  runnables: Runnable[],
  signal: AbortSignal,
): Promise<void> {
  const { client, log, metrics, leaderElection, clock = systemClock, drainMs = 25_000 } = options;
  const caching = new AbortController();
  const caches = Promise.all(reflectors.map((reflector) => reflector.run(caching.signal)));
  const lead = (signal: AbortSignal): Promise<void> => {
    log.info({ runnables: runnables.length }, 'controllers start');
    return runTogether(clock, runnables, signal, drainMs);
  };
  try {
    await Promise.race([Promise.all(reflectors.map((reflector) => reflector.whenSynced())), aborted(signal)]);
    if (signal.aborted) return;
    log.info({ caches: reflectors.length }, 'caches complete');
    if (!leaderElection) return await lead(signal);
    const onChange = (leading: boolean): void => metrics.setLeader(leaderElection.name, leading);
    onChange(false);
    await runAsLeader({ ...leaderElection, client, log, clock, onChange }, signal, lead);
  } finally {
    caching.abort();
    await caches;
  }
}
