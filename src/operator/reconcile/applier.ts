import { group, managedBy, managedByLabel, registryLabel } from '#operator/api/names.ts';
import type { Registry } from '#operator/api/registry.ts';
import { KubeError, type KubeClient, type KubeObject, type ResourceType } from '#shared/kube/kube-client.ts';
import type { Logger } from '#shared/logger.ts';
import { cacheOf, type Caches } from './caches.ts';
import { satisfies, withAppliedHash } from './drift.ts';

export type Outcome =
  | { state: 'created' | 'updated' | 'unchanged'; live: KubeObject }
  /** The API server does not take it, and says why. */
  | { state: 'refused'; error: KubeError; live?: KubeObject }
  /** There is one of this name that is not ours; it was left alone. */
  | { state: 'foreign'; live: KubeObject };

export interface Applier {
  /** Makes the object be as `wanted`, by server-side apply, if it is not. Rejects when the API server is out of order. */
  apply(type: ResourceType, wanted: KubeObject, signal: AbortSignal, isOurs: IsOurs): Promise<Outcome>;
  /** The object as the cache has it, else as the API server has it: only our own ones are in the cache. */
  find<T extends KubeObject>(type: ResourceType, of: KubeObject, signal: AbortSignal): Promise<T | undefined>;
}

type IsOurs = (live: KubeObject) => boolean;

interface ApplierOptions {
  client: KubeClient;
  caches: Pick<Caches, 'children'>;
  log: Logger;
}

export function createApplier({ client, caches, log }: ApplierOptions): Applier {
  /** By UID, where a webhook changes what we apply: what that was and what came of it, so as not to apply it again and again. */
  const changed = new Map<string, { hash: string; resourceVersion: string | undefined }>();

  async function find<T extends KubeObject>(type: ResourceType, { metadata }: KubeObject, signal: AbortSignal) {
    const name = { namespace: metadata.namespace ?? '', name: metadata.name };
    return (cacheOf(caches, type).get(name) as T | undefined) ?? (await client.get<T>(type, name, { signal }));
  }

  function isAsWanted(live: KubeObject, wanted: KubeObject): boolean {
    if (satisfies(live, wanted)) return true;
    const last = changed.get(live.metadata.uid ?? '');
    return last?.hash === hashOf(wanted) && last.resourceVersion === live.metadata.resourceVersion;
  }

  async function write(type: ResourceType, wanted: KubeObject, signal: AbortSignal): Promise<KubeObject> {
    const live = await client.apply<KubeObject>(type, wanted, { signal });
    const { name, namespace, uid = '', resourceVersion } = live.metadata;
    if (satisfies(live, wanted)) {
      changed.delete(uid);
      log.info({ kind: type.kind, namespace, name }, 'applied');
    } else {
      changed.set(uid, { hash: hashOf(wanted), resourceVersion });
      log.warn({ kind: type.kind, namespace, name }, 'something changes what the operator applies; left as it is');
    }
    return live;
  }

  return {
    find,
    async apply(type, object, signal, isOurs) {
      const wanted = withAppliedHash(object);
      const live = await find(type, wanted, signal);
      if (live && !isOurs(live)) return { state: 'foreign', live };
      if (live && isAsWanted(live, wanted)) return { state: 'unchanged', live };
      try {
        const written = await write(type, wanted, signal);
        return { state: live?.metadata.uid === written.metadata.uid ? 'updated' : 'created', live: written };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return live ? { state: 'refused', error, live } : { state: 'refused', error };
      }
    },
  };
}

/** A child of this Registry or of an earlier one of the same name: by its owner, or by its labels if it has none. */
export function belongsTo({ kind, metadata }: Registry): IsOurs {
  return (live) => {
    const owners = live.metadata.ownerReferences ?? [];
    const isRegistry = (apiVersion: string): boolean => apiVersion.startsWith(`${group}/`);
    if (owners.some((owner) => owner.kind === kind && owner.name === metadata.name && isRegistry(owner.apiVersion)))
      return true;
    const labels = live.metadata.labels ?? {};
    return labels[managedByLabel] === managedBy && labels[registryLabel] === metadata.name;
  };
}

function hashOf({ metadata }: KubeObject): string {
  return JSON.stringify(metadata.annotations);
}

/** The server's answer is about what we ask for; not about who we are, how often we ask, or how it is itself. */
function isRefusal(error: unknown): error is KubeError {
  return error instanceof KubeError && [400, 403, 404, 422].includes(error.code);
}
