import { type Clock, systemClock } from '#shared/clock.ts';
import type { Credentials } from './credentials.ts';
import { isFailure } from './failure.ts';
import { createCall, openStream } from './json-call.ts';
import type {
  ApplyOptions,
  CallOptions,
  KubeClient,
  KubeObject,
  ObjectName,
  RemoveOptions,
  ResourceType,
} from './kube-client.ts';
import { listPages } from './list-pages.ts';
import type { KubeObserver } from './observer.ts';
import { collectionPath, objectPath, queryString } from './resource-path.ts';
import { createTransport, type TransportRequest } from './transport.ts';
import { withoutManagedFields } from './trim.ts';
import { watchStream } from './watch-stream.ts';

export interface KubeClientOptions {
  credentials: Credentials;
  observer?: KubeObserver;
  /** Who owns the fields that we write. */
  fieldManager?: string;
  userAgent?: string;
  /** Milliseconds for one request that is not a watch. */
  timeoutMs?: number;
  /** Milliseconds without a byte after which a watch counts as dead; the server sends a bookmark about every minute. */
  silenceMs?: number;
  clock?: Clock;
}

/** A {@link KubeClient} for one cluster. One per program: it holds the connections. */
export function createKubeClient(options: KubeClientOptions): KubeClient {
  const { credentials, observer, userAgent = 'registry-operator', clock = systemClock } = options;
  const transport = createTransport({ credentials, userAgent, observer });
  const dependencies = { transport, clock, timeoutMs: options.timeoutMs ?? 30_000 };
  const call = createCall(dependencies);
  return {
    ...createVerbs(call, options.fieldManager ?? 'registry-operator'),
    list: (type, options = {}) => listPages(call, type, options),
    watch: (type, watched, signal) =>
      watchStream({ ...dependencies, silenceMs: options.silenceMs ?? 150_000 }, type, watched, signal),
    open: (path, signal) => openStream(dependencies, path, signal),
  };
}

type Verbs = Pick<KubeClient, 'get' | 'apply' | 'create' | 'replace' | 'patch' | 'remove'>;

function createVerbs(call: ReturnType<typeof createCall>, fieldManager: string): Verbs {
  const one = async <T extends KubeObject>(request: Omit<TransportRequest, 'signal'> & CallOptions): Promise<T> =>
    withoutManagedFields(await call<T>(request));
  return {
    get<T extends KubeObject>(type: ResourceType, name: ObjectName, { signal }: CallOptions = {}) {
      return unless404(one<T>({ method: 'GET', path: objectPath(type, name), signal }));
    },
    apply(type, object, { subresource, dryRun, force = true, signal }: ApplyOptions = {}) {
      const query = queryString({ fieldManager, force, dryRun: dryRun ? 'All' : undefined });
      const path = objectPath(type, nameOf(object), subresource) + query;
      return one({ method: 'PATCH', path, body: object, contentType: 'application/apply-patch+yaml', signal });
    },
    create(type, object, { signal } = {}) {
      const path = collectionPath(type, object.metadata.namespace) + queryString({ fieldManager });
      return one({ method: 'POST', path, body: object, signal });
    },
    replace(type, object, { signal } = {}) {
      const path = objectPath(type, nameOf(object)) + queryString({ fieldManager });
      return one({ method: 'PUT', path, body: object, signal });
    },
    patch(type, name, patch, { subresource, signal } = {}) {
      const path = objectPath(type, name, subresource) + queryString({ fieldManager });
      const contentType = Array.isArray(patch) ? 'application/json-patch+json' : 'application/merge-patch+json';
      return one({ method: 'PATCH', path, body: patch, contentType, signal });
    },
    async remove(type, name, { uid, propagation = 'Background', signal }: RemoveOptions = {}) {
      const body = { propagationPolicy: propagation, ...(uid !== undefined && { preconditions: { uid } }) };
      const removed = call({ method: 'DELETE', path: objectPath(type, name), body, signal });
      try {
        return (await unless404(removed)) !== undefined;
      } catch (error) {
        // Another object of that name is there by now.
        if (uid !== undefined && isFailure(error, 409)) return false;
        throw error;
      }
    },
  };
}

async function unless404<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isFailure(error, 404)) return undefined;
    throw error;
  }
}

function nameOf({ metadata }: KubeObject): ObjectName {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}
