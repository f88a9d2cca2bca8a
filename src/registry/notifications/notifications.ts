/** Webhooks, as distribution has them, with a queue that outlives the process. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '#shared/logger.ts';
import { inherit } from './inherit.ts';
import type { LeaseOptions } from './lease.ts';
import { countedEndpoint, type EndpointCounts } from './counts.ts';
import { createEndpoint, type Endpoint, type EndpointObserver, type EndpointOptions } from './endpoint.ts';
import type { Event, EventSink } from './event.ts';
import type { OnDrop } from './event-queue.ts';
import { createMemoryQueue } from './memory-queue.ts';
import { openPlacedQueue } from './placed-queue.ts';
import { createSlots } from './slots.ts';

export interface NotificationsOptions {
  endpoints: EndpointOptions[];
  /** A folder of this machine for the queues; absent: they are in memory, and lost at the end of the process. */
  folder?: string;
  /** Bytes of one endpoint's queue; beyond, the oldest events are dropped, counted and logged. */
  maxBytes: number;
  /** Host and port of this registry. */
  address: string;
  observe?: NotificationsObserver;
  logger: Logger;
  /** How processes that share `folder` tell whether another one lives. */
  lease?: LeaseOptions;
  /** Milliseconds between looks for what processes that have ended left behind. Default half a minute. */
  inheritEveryMs?: number;
}

export interface NotificationsObserver {
  endpoint(name: string, pending: () => number): EndpointObserver & { dropped: OnDrop };
}

/** Named as distribution's, in `/debug/vars`. */
export interface EndpointVariables {
  name: string;
  url: string;
  Metrics: EndpointCounts & { Pending: number };
}

export interface Notifications extends EventSink {
  variables(): EndpointVariables[];
  /** Delivers until `signal` aborts; then the queues are closed, and what waits is there at the next start. */
  run(signal: AbortSignal): Promise<void>;
}

const halfMinute = 30_000;

interface Receiver {
  endpoint: Endpoint;
  /** Delivers what processes that have ended left behind, until `signal` aborts. */
  inherit(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
  variables(): EndpointVariables;
}

/** Rejects when a queue can't be opened. */
export async function openNotifications(options: NotificationsOptions): Promise<Notifications> {
  const { logger } = options;
  const receivers: Receiver[] = [];
  for (const endpoint of options.endpoints) receivers.push(await openReceiver(options, endpoint));
  const source = { addr: options.address, instanceID: randomUUID() };
  return {
    async publish({ action, target, request, actor }) {
      const event: Event = {
        id: randomUUID(),
        timestamp: new Date().toISOString(),
        action,
        target,
        request,
        actor: actor === undefined || actor === '' ? {} : { name: actor },
        source,
      };
      const offers = receivers.map(async ({ endpoint }) => {
        try {
          await endpoint.offer(event);
        } catch (error) {
          logger.error(
            { err: error, endpoint: endpoint.name, event },
            'a notification is lost: it could not be queued',
          );
        }
      });
      await Promise.all(offers);
    },
    variables: () => receivers.map((one) => one.variables()),
    async run(signal) {
      await Promise.all(receivers.flatMap((one) => [one.endpoint.run(signal), one.inherit(signal)]));
      await Promise.all(receivers.map((one) => one.close()));
    },
  };
}

async function openReceiver(options: NotificationsOptions, endpoint: EndpointOptions): Promise<Receiver> {
  const { folder, maxBytes, logger, observe } = options;
  let pending = () => 0;
  const observer = observe?.endpoint(endpoint.name, () => pending());
  const onDrop: OnDrop = (lines) => {
    observer?.dropped(lines);
    logger.error(
      { endpoint: endpoint.name, events: lines },
      'the queue of an endpoint is full: its oldest events are dropped',
    );
  };
  const limits = { maxBytes, onDrop, logger };
  const slots = folder === undefined ? undefined : createSlots(join(folder, folderName(endpoint.name)), options.lease);
  const queue = slots ? await openPlacedQueue(slots, limits) : createMemoryQueue(limits);
  pending = () => queue.pending;
  if (queue.pending > 0) {
    logger.info({ endpoint: endpoint.name, events: queue.pending }, 'notifications are left from before the start');
  }
  const { observer: counting, counts } = countedEndpoint(observer);
  const delivering = createEndpoint(endpoint, { queue, observer: counting, logger });
  return {
    variables: () => ({ name: endpoint.name, url: endpoint.url, Metrics: { Pending: queue.pending, ...counts } }),
    endpoint: delivering,
    async inherit(signal) {
      if (!slots) return;
      await inherit({ endpoint: delivering, slots, limits, everyMs: options.inheritEveryMs ?? halfMinute }, signal);
    },
    close: () => queue.close(),
  };
}

/** A name may be anything; a folder may not be `..`. */
function folderName(name: string): string {
  return encodeURIComponent(name).replaceAll('.', '%2E');
}
