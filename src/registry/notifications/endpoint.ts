/** One receiver of events: what it wants to hear, and its queue. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#shared/logger.ts';
import { createDelivery, type DeliveryObserver, type DeliveryOptions } from './delivery.ts';
import type { Event } from './event.ts';
import type { EventQueue } from './event-queue.ts';

export interface EndpointOptions extends DeliveryOptions {
  ignoredMediaTypes: string[];
  ignoredActions: string[];
}

/** What distribution counts, by its names. */
export interface EndpointObserver extends DeliveryObserver {
  queued(): void;
}

export interface Endpoint {
  readonly name: string;
  /** Resolves when the event will survive the end of the process (a change: a loss of power), or is not wanted. */
  offer(event: Event): Promise<void>;
  /** Delivers until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Delivers what another process left, until `queue` is empty or `signal` aborts. */
  drain(queue: EventQueue, signal: AbortSignal): Promise<void>;
}

export interface EndpointDeps {
  queue: EventQueue;
  observer: EndpointObserver;
  logger: Logger;
}

export function createEndpoint(options: EndpointOptions, { queue, observer, logger }: EndpointDeps): Endpoint {
  const deliver = createDelivery(options, { observer, logger });

  async function deliverNext(from: EventQueue, signal: AbortSignal): Promise<boolean> {
    const next = await from.next(signal);
    if (!next || !(await deliver(next.line, signal))) return false;
    next.acknowledge();
    return true;
  }

  async function deliverAll(signal: AbortSignal): Promise<void> {
    try {
      while (await deliverNext(queue, signal));
    } catch (error) {
      logger.error({ endpoint: options.name, err: error }, 'the queue of an endpoint can not be read');
      await delay(options.backoffMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    name: options.name,
    async offer(event) {
      if (options.ignoredActions.includes(event.action)) return;
      if (options.ignoredMediaTypes.includes(event.target.mediaType)) return;
      observer.queued();
      await queue.append(JSON.stringify(event), { synced: event.action !== 'pull' });
    },
    async run(signal) {
      while (!signal.aborted) await deliverAll(signal);
    },
    async drain(left, signal) {
      while (left.pending > 0 && (await deliverNext(left, signal)));
    },
  };
}
