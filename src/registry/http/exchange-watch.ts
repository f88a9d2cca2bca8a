import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExchangeObserver } from './exchange.ts';
import type { Endpoint } from './path.ts';
import { peerOf } from './remote-address.ts';
import { announcedLength } from './request-body.ts';

export interface WatchedExchange {
  id: string;
  request: IncomingMessage;
  response: ServerResponse;
  endpoint: Endpoint | undefined;
}

export interface ExchangeWatch {
  /** The answer's body has this many bytes. */
  answered(bytes: number): void;
  /** Something that is our fault; told once the exchange is over. */
  failed(error: unknown): void;
  /** The name of who asks. */
  identified(user: string): void;
}

/** As distribution and nginx have it in their logs, of a client that did not wait for its answer. */
const clientLeft = 499;

const unwatched: ExchangeWatch = { answered: () => undefined, failed: () => undefined, identified: () => undefined };

/** Tells the observers when the exchange begins and, whatever way, ends. */
export function watchExchange(observers: ExchangeObserver[], exchange: WatchedExchange): ExchangeWatch {
  if (observers.length === 0) return unwatched;
  const { id, request, response, endpoint } = exchange;
  const started = performance.now();
  const peer = peerOf(request.socket);
  let failure: unknown;
  let user: string | undefined;
  let responseBytes = 0;
  if (endpoint) for (const observer of observers) observer.started?.(endpoint);
  response.once('close', () => {
    const record = {
      id,
      endpoint,
      request,
      peer,
      method: request.method ?? '',
      status: response.headersSent ? response.statusCode : clientLeft,
      aborted: !response.writableFinished,
      durationMs: performance.now() - started,
      requestBytes: announcedLength(request.headers) ?? 0,
      responseBytes,
      ...(user === undefined ? {} : { user }),
      ...(failure === undefined ? {} : { error: failure }),
    };
    for (const observer of observers) observer.finished(record);
  });
  return {
    answered(bytes) {
      responseBytes = bytes;
    },
    failed(error) {
      failure ??= error;
    },
    identified(name) {
      user = name;
    },
  };
}
