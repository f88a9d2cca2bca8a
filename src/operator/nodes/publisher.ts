import type { Registry } from '#operator/api/registry.ts';
import type { ConfigMap, Service } from '#operator/children/kinds.ts';
import type { Reconciler, Request } from '#operator/runtime/reconciler.ts';
import type { Cache } from '#shared/kube/cache.ts';
import type { KubeClient, KubeObject, ObjectName } from '#shared/kube/kube-client.ts';
import type { Logger } from '#shared/logger.ts';
import { mirrorsKey, mirrorsRevision, serializeMirrors } from '#shared/node-mirrors.ts';
import { publish, readPublication } from './publication.ts';
import { planMirrors } from './registry-mirrors.ts';

type Known<T extends KubeObject> = Pick<Cache<T>, 'get' | 'list'>;

export interface PublisherOptions {
  client: KubeClient;
  registries: Known<Registry>;
  /** The Services of Registries. */
  services: Known<Service>;
  /** Holds the mirrors ConfigMap, wherever else it looks. */
  configMaps: Known<ConfigMap>;
  configMap: ObjectName;
  log: Logger;
}

/** The one request of the publisher: to be enqueued at each change of a Registry, a Service or the ConfigMap. */
export const publisherRequest: Request = { namespace: '', name: 'node-mirrors' };

/**
 * Keeps the mirrors ConfigMap as the Registries want it. To be started when all the caches are complete, as the manager
 * does: half of the Registries would take the names of the other half from every node.
 */
export function createMirrorPublisher(options: PublisherOptions): Reconciler {
  const { client, registries, services, configMaps, configMap, log } = options;
  return {
    async reconcile(_request, signal) {
      const published = configMaps.get(configMap);
      const { mirrors } = planMirrors(registries.list(), (name) => services.get(name), readPublication(published));
      const text = serializeMirrors(mirrors);
      if (published?.data?.[mirrorsKey] === text) return {};
      await publish(client, configMap, text, signal);
      log.info({ hosts: mirrors.mirrors.map(({ host }) => host), revision: mirrorsRevision(text) }, 'told the nodes');
      return {};
    },
  };
}
