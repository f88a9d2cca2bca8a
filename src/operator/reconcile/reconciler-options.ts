import type { EventRecorder } from '#operator/runtime/events.ts';
import type { Clock } from '#shared/clock.ts';
import type { KubeClient, ObjectName } from '#shared/kube/kube-client.ts';
import type { Logger } from '#shared/logger.ts';
import type { Caches } from './caches.ts';
import type { UsageAccess } from './usage-access.ts';
import type { UsageWatcher } from './usage-watcher.ts';

export interface RegistryReconcilerOptions {
  client: KubeClient;
  caches: Caches;
  usage: Pick<UsageWatcher, 'follow' | 'forget' | 'get'>;
  access: Pick<UsageAccess, 'addressOf'>;
  events: EventRecorder;
  log: Logger;
  clock: Clock;
  /** Image of Registries that name none. */
  image: string;
  /** Where the operator's Pod runs; `undefined` when it runs outside of the cluster. */
  operatorNamespace: string | undefined;
  /** The ConfigMap that the nodes read. */
  publication: ObjectName;
  /** How long nodes are waited for when a Registry is deleted. */
  removalDeadlineMs: number;
}
