/** One request and its answer, as the endpoints see them: they read an Exchange and return an Answer, and write nothing. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Actor } from '#registry/auth/authenticator.ts';
import type { RepositoryStore } from '#registry/storage/store.ts';
import type { Logger } from '#shared/logger.ts';
import type { Endpoint } from './path.ts';

export interface Exchange {
  /** Of the log lines and of the answer's X-Request-Id. */
  readonly id: string;
  readonly method: string;
  readonly request: IncomingMessage;
  readonly endpoint: Endpoint;
  /** Checked: a repository name, or empty where the endpoint has none. */
  readonly name: string;
  /** Not checked: what stands where a tag, a digest or an upload's id belongs. */
  readonly subject: string;
  /** The client may do everything in every repository, as everybody may where there is no authentication. */
  readonly unrestricted: boolean;
  /** Read on demand: most requests have none. */
  query(): URLSearchParams;
  /** The repository that the path names. */
  repository(): RepositoryStore;
  /** Who is asking, where there is authentication. */
  readonly actor?: Actor;
  /** Says whose request it is, for the access log. */
  identified(actor: Actor): void;
  /** Read on demand; knows the request's id. */
  log(): Logger;
}

export interface Answer {
  status: number;
  /** Names as they go over the wire. Content-Length of `bytes` is added where it is absent. */
  headers: Record<string, string | number | string[]>;
  body?: Buffer | string | StreamedBody;
}

/** A body that is sent piece by piece. Exactly one of the two is called, once. */
export interface StreamedBody {
  /**
   * Writes all of it and ends the response; resolves when everything is released, also when the client went away. Calls `begin`,
   * which writes the header, once the first bytes are there: a failure before that can still be told with an error.
   */
  send(response: ServerResponse, begin: () => void): Promise<void>;
  /** For a HEAD: releases what was opened. */
  discard(): Promise<void>;
}

export type Handler = (exchange: Exchange) => Promise<Answer>;

/** HEAD is answered by the handler of GET, without the body, where there is none of its own. */
export type Methods = Partial<Record<'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', Handler>>;

/** Tells of each request that has been answered, for the access log and the metrics. */
export interface ExchangeObserver {
  started?(endpoint: Endpoint): void;
  finished(record: ExchangeRecord): void;
}

export interface ExchangeRecord {
  id: string;
  /** `undefined` for a path that leads nowhere. */
  endpoint: Endpoint | undefined;
  method: string;
  /** 499 when there was no answer, since the client went away before. */
  status: number;
  /** The client went away before it had the whole answer. */
  aborted: boolean;
  durationMs: number;
  /** Bytes of the body that the request announced; 0 when it did not. */
  requestBytes: number;
  /** Bytes of the answer's body, as announced. */
  responseBytes: number;
  request: IncomingMessage;
  /** Who asked; absent for the unknown and the refused. */
  user?: string;
  /** Address and port of the connection, read when the exchange began: at its end the request may have no socket any more. */
  peer: string;
  /** What went wrong on our side; the access log shows it at level error. */
  error?: unknown;
}
