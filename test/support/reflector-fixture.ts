import assert from 'node:assert/strict';
import type { Change, Reflector } from '#shared/kube/cache.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { createReflector, type ReflectorOptions } from '#shared/kube/reflector.ts';
import { createLogger } from '#shared/logger.ts';
import { eventually } from './eventually.ts';
import { type HostileProxy, proxyCredentials, startHostileProxy } from './hostile-proxy.ts';
import type { KubeApiserver } from './kube-apiserver.ts';

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export const configMaps: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const namespaces: ResourceType = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };

export interface Fixture {
  namespace: string;
  proxy: HostileProxy;
  client: KubeClient;
  reflector: Reflector<ConfigMap>;
  /** `added a`, `updated a`... */
  heard: string[];
  stop: AbortController;
  running: Promise<void>;
  set: (name: string, value: string) => Promise<void>;
  remove: (name: string) => Promise<void>;
  /** Resolves when the cache has exactly this, name by name. */
  holds: (expected: Record<string, string>) => Promise<void>;
}

export interface FixtureOptions extends Partial<ReflectorOptions> {
  /** Of the client. */
  silenceMs?: number;
  timeoutMs?: number;
  /** Sets the proxy up before anything is asked of it. */
  prepare?: (proxy: HostileProxy) => void;
}

let namespaceCount = 0;

/**
 * A reflector of the ConfigMaps of a namespace of their own, by way of a {@link HostileProxy}, and `world`, a client that
 * goes straight to the server, to change them.
 */
export async function followConfigMaps(
  t: { after(hook: () => void | Promise<void>): void },
  apiserver: KubeApiserver,
  world: KubeClient,
  { prepare, silenceMs, timeoutMs, ...options }: FixtureOptions,
): Promise<Fixture> {
  const namespace = `reflector-${++namespaceCount}`;
  await world.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const proxy = await startHostileProxy(t, apiserver.server);
  prepare?.(proxy);
  const client = createKubeClient({
    credentials: proxyCredentials(proxy, apiserver.token),
    ...(silenceMs !== undefined && { silenceMs }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const reflector = createReflector<ConfigMap>({
    client,
    type: configMaps,
    list: { namespace },
    log: createLogger({ level: 'silent' }),
    backoff: { baseMs: 50, maxMs: 400 },
    ...options,
  });
  const heard: string[] = [];
  reflector.onChange(({ metadata }, { type }: Change<ConfigMap>) => heard.push(`${type} ${metadata.name}`));
  const stop = new AbortController();
  const running = reflector.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
  });
  return {
    namespace,
    proxy,
    client,
    reflector,
    heard,
    stop,
    running,
    async set(name, value) {
      await world.apply(configMaps, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace },
        data: { value },
      } as ConfigMap);
    },
    async remove(name) {
      await world.remove(configMaps, { namespace, name });
    },
    holds: (expected) =>
      eventually(() =>
        assert.deepEqual(
          Object.fromEntries(reflector.list().map(({ metadata, data }) => [metadata.name, data?.['value']])),
          expected,
        ),
      ),
  };
}
