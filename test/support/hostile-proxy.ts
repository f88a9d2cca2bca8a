/**
 * A proxy between a client and a real API server that does what networks, load balancers and API servers do at their worst.
 * Plain HTTP on the client's side, so that its credentials need no CA.
 */
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { once } from 'node:events';
import type { Credentials } from '#shared/kube/credentials.ts';

interface Scope {
  after(hook: () => void | Promise<void>): void;
}

/** What the proxy says itself instead of passing the request on; it may also say nothing, for ever. */
type Reply = 'silence' | Answer;

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

export interface HostileProxy {
  url: string;
  /** Every request that came, oldest first. */
  readonly requests: { method: string; url: URL }[];
  /** Lists, and watches, that came. */
  readonly lists: URL[];
  readonly watches: URL[];
  /** Watches that are open now. */
  readonly openWatches: number;
  /** Asked for each request; what it returns is said instead of passing the request on. */
  intercept: (request: IncomingMessage, url: URL) => Reply | undefined;
  /** Asked for each watch: seconds after which the server shall end it. */
  watchSeconds: number | undefined;
  /** Ends all open watches as a server does: cleanly. */
  end: () => void;
  /** RST on every connection. */
  reset: () => void;
  /** From now on the open watches carry nothing more, and stay open: a cable pulled. */
  stall: () => void;
  /** The next event of each open watch is cut in its middle, and the connection broken, or ended as if all was said. */
  cutNextEvent: (how: 'reset' | 'end') => void;
  /** Puts a line of its own into each open watch. */
  inject: (event: object) => void;
}

interface OpenWatch {
  response: ServerResponse;
  upstream: IncomingMessage;
  stalled: boolean;
  cut: 'reset' | 'end' | undefined;
}

export async function startHostileProxy(scope: Scope, server: string): Promise<HostileProxy> {
  const open = new Set<OpenWatch>();
  const requests: HostileProxy['requests'] = [];
  const start = server.startsWith('https:') ? httpsRequest : httpRequest;
  const ofKind = (watch: boolean) => (): URL[] =>
    requests
      .filter(({ method, url }) => method === 'GET' && url.searchParams.has('watch') === watch)
      .map(({ url }) => url);
  const [lists, watches] = [ofKind(false), ofKind(true)];

  const listener = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://proxy');
    requests.push({ method: request.method ?? '', url: new URL(url) });
    const reply = proxy.intercept(request, url);
    if (reply === 'silence') return;
    if (reply) {
      request.resume();
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
      response.end(reply.body === undefined ? undefined : JSON.stringify(reply.body));
      return;
    }
    const watch = url.searchParams.has('watch');
    if (watch && proxy.watchSeconds !== undefined) url.searchParams.set('timeoutSeconds', String(proxy.watchSeconds));
    const outgoing = start(server + url.pathname + url.search, {
      method: request.method,
      headers: request.headers,
      rejectUnauthorized: false,
    });
    outgoing.on('error', () => response.destroy());
    outgoing.on('response', (upstream) => {
      response.writeHead(upstream.statusCode ?? 502, upstream.headers).flushHeaders();
      if (watch && upstream.statusCode === 200) passWatch(open, { response, upstream, stalled: false, cut: undefined });
      else upstream.on('error', () => response.destroy()).pipe(response);
    });
    response.on('close', () => outgoing.destroy());
    request.pipe(outgoing);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  scope.after(async () => {
    listener.close();
    listener.closeAllConnections();
    await once(listener, 'close');
  });

  const proxy: HostileProxy = {
    url: `http://127.0.0.1:${(listener.address() as { port: number }).port}`,
    requests,
    get lists() {
      return lists();
    },
    get watches() {
      return watches();
    },
    get openWatches() {
      return open.size;
    },
    intercept: () => undefined,
    watchSeconds: undefined,
    end: () => open.forEach(({ response }) => response.end()),
    reset: () => open.forEach(({ response }) => response.socket?.resetAndDestroy()),
    stall: () => open.forEach((watch) => (watch.stalled = true)),
    cutNextEvent: (how) => open.forEach((watch) => (watch.cut = how)),
    inject: (event) => open.forEach(({ response }) => response.write(`${JSON.stringify(event)}\n`)),
  };
  return proxy;
}

function passWatch(open: Set<OpenWatch>, watch: OpenWatch): void {
  const { response, upstream } = watch;
  open.add(watch);
  response.on('close', () => open.delete(watch));
  upstream.on('error', () => response.destroy());
  upstream.on('end', () => {
    if (!watch.stalled) response.end();
  });
  upstream.on('data', (chunk: Buffer) => {
    if (watch.stalled || response.writableEnded) return;
    if (watch.cut === undefined) {
      response.write(chunk);
      return;
    }
    response.write(chunk.subarray(0, chunk.length >> 1), () => {
      if (watch.cut === 'end') response.end();
      else response.socket?.resetAndDestroy();
    });
  });
}

/** To the proxy, as a user with this bearer token. */
export function proxyCredentials(proxy: HostileProxy, token: string): Credentials {
  const access = { server: proxy.url, headers: { authorization: `Bearer ${token}` }, tls: {} };
  return { namespace: 'default', access: () => Promise.resolve(access), refresh: () => {} };
}
