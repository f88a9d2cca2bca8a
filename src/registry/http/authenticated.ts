import type { Access, Authenticator } from '#registry/auth/authenticator.ts';
import type { Exchange, Handler, Methods } from './exchange.ts';
import type { Endpoint } from './path.ts';

/** The same endpoints, for clients that may. Source: distribution, registry/handlers/app.go appendAccessRecords. */
export function authenticated(
  endpoints: Record<Endpoint, Methods>,
  authenticator: Authenticator,
): Record<Endpoint, Methods> {
  const guarded =
    (handler: Handler): Handler =>
    async (exchange) => {
      const actor = await authenticator.authenticate(exchange.request.headers, accessOf(exchange));
      exchange.identified(actor);
      return handler({ ...exchange, actor, unrestricted: actor.unrestricted });
    };
  const all = (methods: Methods): Methods =>
    Object.fromEntries(Object.entries(methods).map(([method, handler]) => [method, guarded(handler)]));
  return Object.fromEntries(Object.entries(endpoints).map(([endpoint, methods]) => [endpoint, all(methods)])) as Record<
    Endpoint,
    Methods
  >;
}

const actions: Partial<Record<string, Access['Action'][]>> = {
  GET: ['pull'],
  HEAD: ['pull'],
  POST: ['pull', 'push'],
  PUT: ['pull', 'push'],
  PATCH: ['pull', 'push'],
  DELETE: ['delete'],
};

/** A mount pulls from another repository as well. */
function accessOf(exchange: Exchange): Access[] {
  const { endpoint, name, method } = exchange;
  if (endpoint === 'base') return [];
  if (endpoint === 'catalog') return [{ Type: 'registry', Class: '', Name: 'catalog', Action: '*' }];
  const own = (actions[method] ?? []).map((action) => repositoryAccess(name, action));
  const from = endpoint === 'uploads' ? exchange.query().get('from') : null;
  return from === null || from === '' ? own : [...own, repositoryAccess(from, 'pull')];
}

function repositoryAccess(name: string, action: Access['Action']): Access {
  return { Type: 'repository', Class: '', Name: name, Action: action };
}
