/** What the registry is, apart from that it listens. */
import Fastify, {
  type FastifyHttpsOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Authenticator } from '#registry/auth/authenticator.ts';
import type { Catalog } from '#registry/catalog/catalog.ts';
import type { Referrers } from '#registry/catalog/referrers.ts';
import type { EventSink } from '#registry/notifications/event.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import type { Logger } from '#shared/logger.ts';
import { createBaseUrl, type UrlOptions } from '#registry/http/absolute-url.ts';
import { authenticated } from '#registry/http/authenticated.ts';
import { baseEndpoint } from './http/endpoints/base.ts';
import { blobsEndpoint } from './http/endpoints/blobs.ts';
import { createBufferPool } from '#registry/http/buffer-pool.ts';
import { catalogEndpoint } from './http/endpoints/catalog.ts';
import { createDispatch, type Dispatch } from '#registry/http/dispatch.ts';
import { rawErrorResponse } from '#registry/http/error-handler.ts';
import type { ExchangeObserver, Methods } from '#registry/http/exchange.ts';
import { limited, type RequestLimits } from '#registry/http/limited.ts';
import { createLinks } from '#registry/http/links.ts';
import { createManifestCheck, type ValidationOptions } from './http/endpoints/manifest-check.ts';
import { createManifestPush, type ProtectContent } from './http/endpoints/manifest-push.ts';
import { manifestsEndpoint } from './http/endpoints/manifests.ts';
import { notified } from '#registry/http/notified.ts';
import { decodedPath, type Endpoint } from '#registry/http/path.ts';
import { createPipelineLimit } from '#registry/http/pipelining.ts';
import { createReadTurns } from '#registry/http/read-turns.ts';
import { readOnly } from '#registry/http/read-only.ts';
import { referrersEndpoint } from './http/endpoints/referrers.ts';
import { tagsEndpoint } from './http/endpoints/tags.ts';
import { uploadEndpoint, uploadsEndpoint } from './http/endpoints/uploads.ts';
import { withoutSchemas } from '#registry/http/without-schemas.ts';
import type { LoadedTls } from './serve/tls.ts';

export interface AppDeps {
  store: RegistryStore;
  catalog: Catalog;
  referrers: Referrers;
  logger: Logger;
  observers: ExchangeObserver[];
  checkHealth(): void;
  /** Absent: nobody is told of anything. */
  events?: EventSink | undefined;
  /** Absent: everybody may do everything. */
  authenticator?: Authenticator | undefined;
  /** What keeps garbage collection away from running pushes, where it is on. */
  protect?: ProtectContent | undefined;
  options: AppOptions;
}

export interface AppOptions {
  urls: UrlOptions;
  /** `http.prefix`, with both slashes, or `/`. */
  prefix: string;
  headers: Record<string, string[]>;
  deleteEnabled: boolean;
  readOnly: boolean;
  maxEntries: number;
  maxTags: number;
  manifestMaxBytes: number;
  limits: RequestLimits;
  /** `notifications.events.includereferences` */
  eventReferences: boolean;
  validation: ValidationOptions;
  tls?: LoadedTls;
}

const second = 1000;

/**
 * Against slow and silent clients. There is no limit for a whole request, since pushes of large layers are long: a
 * connection on which nothing moves for five minutes is closed instead.
 */
const headersTimeout = 30 * second;
const silence = 300 * second;
/** Longer than the minute that proxies keep idle connections, so that they close them and we don't, under their feet. */
const keepAliveTimeout = 75 * second;
const maxHeaderSize = 32 * 1024;
/** Requests on one connection that wait for the answers before theirs. */
const mostPipelined = 32;

export function buildApp(deps: AppDeps): FastifyInstance {
  let closing = false;
  const dispatch = createDispatch({ ...deps, ...deps.options, endpoints: endpoints(deps), isClosing: () => closing });
  const take = createTake(dispatch, deps.options);
  const app = createServer(deps.options, take);
  app.addHook('preClose', async () => {
    closing = true;
  });
  // Distribution's liveness: that the process answers.
  app.route({
    method: ['GET', 'HEAD'],
    url: '/',
    handler: (_, reply) => reply.header('Cache-Control', 'no-cache').send(),
  });
  // Before Fastify looks at bodies and their types: both are the endpoints' own matter.
  app.addHook('onRequest', (request, reply, done) => (request.is404 ? take(request, reply) : done()));
  return app;
}

/** Answers a request, past Fastify. */
type Take = (request: FastifyRequest, reply: FastifyReply) => void;

function createTake(dispatch: Dispatch, { prefix }: AppOptions): Take {
  const root = `${prefix}v2/`;
  const admit = createPipelineLimit(mostPipelined);
  return ({ raw: request }, reply) => {
    reply.hijack();
    if (!admit(request, reply.raw)) return;
    request.url = originForm(request.url ?? '');
    void dispatch(below(root, request.url), request, reply.raw);
  };
}

function createServer({ tls }: AppOptions, take: Take): FastifyInstance {
  const node = { headersTimeout, maxHeaderSize };
  const options = {
    ...(tls ? { https: { ...node, ...tls.options } } : { http: node }),
    logger: false,
    requestTimeout: 0,
    keepAliveTimeout,
    connectionTimeout: silence,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    schemaController: withoutSchemas,
    // Such as a percent sign that means nothing: an address like any other that leads nowhere.
    frameworkErrors: (_error: Error, request: FastifyRequest, reply: FastifyReply) => take(request, reply),
    clientErrorHandler(error: Error, socket: Socket) {
      if (socket.writable) socket.end(rawErrorResponse(error));
      else socket.destroy();
    },
  } satisfies FastifyServerOptions | FastifyHttpsOptions<Server>;
  const app = Fastify(options as FastifyServerOptions);
  app.server.on('secureConnection', (socket: TLSSocket) => {
    if (tls?.accepts(socket) === false) socket.destroy();
  });
  return app;
}

/** `http://host/path` is `/path`: clients of proxies send it so (RFC 9112 3.2.2). */
function originForm(url: string): string {
  return url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
}

/** What follows `root` in the path; `undefined` when the address is another one. */
function below(root: string, url: string): string | undefined {
  const path = decodedPath(url);
  if (path === undefined || path.startsWith(root)) return path?.slice(root.length);
  return path === root.slice(0, -1) ? '' : undefined;
}

function endpoints(deps: AppDeps): Record<Endpoint, Methods> {
  const { catalog, referrers, protect, events: sink, authenticator, options } = deps;
  const links = createLinks(createBaseUrl(options.urls));
  const push = createManifestPush({
    links,
    check: createManifestCheck(options.validation),
    maxBytes: options.manifestMaxBytes,
    protect,
  });
  const all = {
    base: baseEndpoint,
    catalog: catalogEndpoint({ catalog, ...options }),
    tags: tagsEndpoint({ catalog, ...options }),
    manifest: manifestsEndpoint({ push, ...options }),
    blob: blobsEndpoint({ downloads: { pool: createBufferPool(), turns: createReadTurns() }, ...options }),
    uploads: uploadsEndpoint(links),
    upload: uploadEndpoint(links),
    referrers: referrersEndpoint(referrers),
  };
  const allowed = options.readOnly ? readOnly(all) : all;
  const told = sink ? notified(allowed, { sink, links, includeReferences: options.eventReferences }) : allowed;
  return limited(authenticator ? authenticated(told, authenticator) : told, options.limits);
}
