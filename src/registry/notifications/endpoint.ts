/** One receiver of events: what it wants to hear, its queue, and the delivery of one event after the other. */
import { STATUS_CODES } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#shared/logger.ts';
import { createBreaker } from './breaker.ts';
import { eventsMediaType, type Event } from './event.ts';
import type { EventQueue } from './event-queue.ts';

export interface EndpointOptions {
  name: string;
  url: string;
  headers: Record<string, string[]>;
  /** Milliseconds for one try, the answer included. */
  timeoutMs: number;
  /** Failures in a row after which tries are `backoffMs` apart. */
  threshold: number;
  /** Milliseconds. */
  backoffMs: number;
  ignoredMediaTypes: string[];
  ignoredActions: string[];
}

/** What distribution counts, by its names. */
export interface EndpointObserver {
  queued(): void;
  /** `status` as "200 OK". */
  answered(status: string, accepted: boolean): void;
  /** No answer at all. */
  failed(): void;
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
  const breaker = createBreaker(options);
  const headers = headersOf(options.headers);

  async function tryOnce(body: string, signal: AbortSignal): Promise<boolean> {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
      const response = await fetch(options.url, { method: 'POST', headers, body, signal: limited });
      await response.body?.cancel();
      const accepted = response.status < 400;
      observer.answered(`${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim(), accepted);
      if (!accepted)
        logger.warn({ endpoint: options.name, status: response.status }, 'a notification was not accepted');
      return accepted;
    } catch (error) {
      if (signal.aborted) return false;
      observer.failed();
      logger.warn({ endpoint: options.name, err: error }, 'a notification could not be sent');
      return false;
    }
  }

  /** `false` only when `signal` was aborted: an event is tried until it is accepted. */
  async function deliver(line: string, signal: AbortSignal): Promise<boolean> {
    const body = envelope(line);
    if (body === undefined) return true;
    while (!signal.aborted) {
      const wait = breaker.delay();
      if (wait > 0) await delay(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return false;
      if (await tryOnce(body, signal)) {
        breaker.succeeded();
        return true;
      }
      breaker.failed();
    }
    return false;
  }

  async function deliverNext(from: EventQueue, signal: AbortSignal): Promise<boolean> {
    const next = await from.next(signal);
    if (!next || !(await deliver(next.line, signal))) return false;
    next.acknowledge();
    return true;
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
      while (await deliverNext(queue, signal));
    },
    async drain(left, signal) {
      while (left.pending > 0 && (await deliverNext(left, signal)));
    },
  };
}

function headersOf(configured: Record<string, string[]>): Headers {
  const headers = new Headers({ 'Content-Type': eventsMediaType });
  for (const [name, values] of Object.entries(configured)) for (const value of values) headers.append(name, value);
  return headers;
}

/** Indented as distribution does it; `undefined` for a line that a failing disk has garbled. */
function envelope(line: string): string | undefined {
  try {
    return JSON.stringify({ events: [JSON.parse(line)] }, null, 3);
  } catch {
    return undefined;
  }
}
