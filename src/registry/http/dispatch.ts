/** From a request to the handler of its endpoint, and from what that returns or throws to the response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RegistryError } from '#registry/oci/errors.ts';
import { isRepositoryName } from '#registry/oci/reference.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import type { Logger } from '#shared/logger.ts';
import { allowOf } from './allow.ts';
import { errorAnswer, isUnexpected } from './error-handler.ts';
import type { Answer, Exchange, ExchangeObserver, Handler, Methods } from './exchange.ts';
import { parsePath, queryOf, type Endpoint, type Target } from './path.ts';
import { watchExchange, type ExchangeWatch } from './exchange-watch.ts';
import { requestId } from './request-id.ts';
import { createRespond, type RespondDeps } from './respond.ts';

export interface DispatchDeps extends RespondDeps {
  store: RegistryStore;
  logger: Logger;
  endpoints: Record<Endpoint, Methods>;
  observers: ExchangeObserver[];
  /** Throws UNAVAILABLE while a health check fails. */
  checkHealth(): void;
}

/** Answers one request below `/v2/`; `path` is what follows, `undefined` when the address leads nowhere. Never rejects. */
export type Dispatch = (path: string | undefined, request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createDispatch(deps: DispatchDeps): Dispatch {
  const respond = createRespond(deps);
  return async (path, request, response) => {
    const target = path === undefined ? undefined : parsePath(path);
    const id = requestId(request);
    const watch = watchExchange(deps.observers, { id, request, response, endpoint: target?.endpoint });
    let answer: Answer;
    try {
      answer = await answerOf(deps, target, { id, request, watch });
    } catch (error) {
      if (isUnexpected(error) && !hasLeft(request)) watch.failed(error);
      answer = errorAnswer(error);
    }
    const outgoing = { id, request, response, watch };
    try {
      await respond(answer, outgoing);
    } catch (error) {
      watch.failed(error);
      // Once the header has gone out, breaking the connection off is the only way left to say that the body is not whole.
      if (response.headersSent) response.destroy();
      else await respond(errorAnswer(error), outgoing).catch(() => response.destroy());
    }
  };
}

/** A body that breaks off fails whoever reads it, and is no fault of ours. */
function hasLeft(request: IncomingMessage): boolean {
  return request.destroyed && !request.complete;
}

interface Incoming {
  id: string;
  request: IncomingMessage;
  watch: ExchangeWatch;
}

function answerOf(deps: DispatchDeps, target: Target | undefined, incoming: Incoming): Promise<Answer> {
  deps.checkHealth();
  if (!target) throw new RegistryError('UNSUPPORTED', { status: 404, message: 'no such endpoint' });
  if (target.name !== '' && !isRepositoryName(target.name)) {
    throw new RegistryError('NAME_INVALID', { detail: { name: target.name } });
  }
  return handlerOf(
    deps.endpoints[target.endpoint],
    incoming.request.method ?? '',
  )(createExchange(deps, target, incoming));
}

function handlerOf(methods: Methods, method: string): Handler {
  const own = Object.hasOwn(methods, method) ? methods[method as keyof Methods] : undefined;
  if (own) return own;
  if (method === 'HEAD' && methods.GET) return methods.GET;
  const allow = allowOf(methods);
  if (method === 'OPTIONS') return async () => ({ status: 200, headers: { Allow: allow } });
  throw new RegistryError('UNSUPPORTED', { message: `${method} is not allowed here`, headers: { Allow: allow } });
}

function createExchange(deps: DispatchDeps, target: Target, { id, request, watch }: Incoming): Exchange {
  let query: URLSearchParams | undefined;
  return {
    id,
    request,
    method: request.method ?? '',
    endpoint: target.endpoint,
    name: target.name,
    subject: target.subject,
    unrestricted: true,
    identified: ({ name }) => watch.identified(name),
    query: () => (query ??= new URLSearchParams(queryOf(request.url ?? ''))),
    repository: () => deps.store.repository(target.name),
    log: () => deps.logger.child({ 'http.request.id': id }),
  };
}
