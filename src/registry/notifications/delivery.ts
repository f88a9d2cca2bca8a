/** Of one event after the other to a receiver. */
import { STATUS_CODES } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '#shared/logger.ts';
import { createBreaker } from './breaker.ts';
import { eventsMediaType } from './event.ts';

export interface DeliveryOptions {
  name: string;
  url: string;
  headers: Record<string, string[]>;
  /** Milliseconds for one try, the answer included. */
  timeoutMs: number;
  /** Failures in a row after which tries are `backoffMs` apart. */
  threshold: number;
  /** Milliseconds. */
  backoffMs: number;
}

export interface DeliveryObserver {
  /** `status` as "200 OK". */
  answered(status: string, accepted: boolean): void;
  /** No answer at all. */
  failed(): void;
}

export interface DeliveryDeps {
  observer: DeliveryObserver;
  logger: Logger;
}

/** Tries until the event is accepted; `false` only when `signal` was aborted before. */
export type Deliver = (line: string, signal: AbortSignal) => Promise<boolean>;

export function createDelivery(options: DeliveryOptions, { observer, logger }: DeliveryDeps): Deliver {
  const breaker = createBreaker(options);
  const headers = headersOf(options.headers);

  async function tryOnce(body: string, signal: AbortSignal): Promise<boolean> {
    try {
      const limited = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]);
      const status = await post(options.url, { headers, body, signal: limited });
      const accepted = status < 400;
      observer.answered(`${status} ${STATUS_CODES[status] ?? ''}`.trim(), accepted);
      if (!accepted) logger.warn({ endpoint: options.name, status }, 'a notification was not accepted');
      return accepted;
    } catch (error) {
      if (signal.aborted) return false;
      observer.failed();
      logger.warn({ endpoint: options.name, err: error }, 'a notification could not be sent');
      return false;
    }
  }

  return async (line, signal) => {
    const body = envelope(line);
    if (body === undefined) {
      logger.error({ endpoint: options.name, line }, 'a notification was garbled by its disk and is given up');
      return true;
    }
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
  };
}

/** The status of the answer, whose body is not read. */
async function post(url: string, request: RequestInit): Promise<number> {
  const response = await fetch(url, { ...request, method: 'POST' });
  await response.body?.cancel();
  return response.status;
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
