import { type IncomingMessage, request as httpRequest, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { createAgents } from './agents.ts';
import type { Access, Credentials } from './credentials.ts';
import { failureOf, noAnswer } from './failure.ts';
import { KubeError } from './kube-client.ts';
import type { KubeObserver } from './observer.ts';

export interface TransportRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query. */
  path: string;
  body?: unknown;
  contentType?: string;
  signal: AbortSignal;
}

/** Resolves to an answer below 400 whose body is still to be read; rejects with a {@link KubeError}. */
export type Transport = (request: TransportRequest) => Promise<IncomingMessage>;

export interface TransportOptions {
  credentials: Credentials;
  userAgent: string;
  observer?: KubeObserver | undefined;
}

/**
 * HTTP/1.1 over pooled connections, by node:http. Not HTTP/2: a watch has a connection of its own, so that one which
 * stalls holds up nothing else. Not fetch or undici: nothing of them is needed, and they cost 27 MiB in each of our programs.
 */
export function createTransport(options: TransportOptions): Transport {
  const { credentials, userAgent, observer } = options;
  const agentFor = createAgents();

  async function attempt(access: Access, request: TransportRequest): Promise<IncomingMessage> {
    const url = new URL(access.server + request.path);
    const agent = access.agent ?? agentFor(access.server, access.tls);
    const count = (code: string): void => observer?.onRequest({ code, method: request.method, host: url.host });
    try {
      const response = await send(url, { agent, headers: { ...access.headers, 'user-agent': userAgent } }, request);
      count(String(response.statusCode));
      return response;
    } catch (error) {
      count('<error>');
      throw error;
    }
  }

  return async (request) => {
    const what = `${request.method} ${request.path.replace(/\?.*/, '')}`;
    try {
      const access = await credentials.access();
      let response = await attempt(access, request);
      if (response.statusCode === 401) {
        credentials.refresh();
        const renewed = await credentials.access();
        if (!sameHeaders(renewed, access)) {
          response.resume();
          response = await attempt(renewed, request);
        }
      }
      if ((response.statusCode ?? 0) >= 400) throw await failureOf(response, what);
      return response;
    } catch (error) {
      if (error instanceof KubeError) throw error;
      throw noAnswer(what, request.signal.aborted ? request.signal.reason : error);
    }
  };
}

function sameHeaders(a: Access, b: Access): boolean {
  return JSON.stringify(a.headers) === JSON.stringify(b.headers);
}

/**
 * A pooled connection may have been closed by the server meanwhile: another is tried then. Not for POST, of which nobody
 * knows whether it was done; all the rest may be done twice.
 */
async function send(url: URL, options: RequestOptions, request: TransportRequest): Promise<IncomingMessage> {
  for (;;) {
    const sent = { reused: false };
    try {
      return await exchange(url, options, request, sent);
    } catch (error) {
      const stale = sent.reused && (error as NodeJS.ErrnoException).code === 'ECONNRESET';
      if (!stale || request.method === 'POST' || request.signal.aborted) throw error;
    }
  }
}

function exchange(
  url: URL,
  options: RequestOptions,
  { method, body, contentType = 'application/json', signal }: TransportRequest,
  sent: { reused: boolean },
): Promise<IncomingMessage> {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = {
    ...(options.headers as Record<string, string>),
    accept: 'application/json',
    ...(payload && { 'content-type': contentType, 'content-length': payload.length }),
  };
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = start(url, { ...options, method, headers, signal }, resolve);
    outgoing.on('error', (error) => {
      sent.reused = outgoing.reusedSocket;
      reject(error);
    });
    outgoing.end(payload);
  });
}
