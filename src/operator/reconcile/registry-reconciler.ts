import { finalizer } from '#operator/api/names.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import { toConditions } from '#operator/api/conditions.ts';
import type { RegistryStatus } from '#operator/api/registry-status.ts';
import { imageReference } from '#operator/children/image.ts';
import { addFinalizer, hasFinalizer } from '#operator/runtime/finalizers.ts';
import type { Reconciler, Request, Result } from '#operator/runtime/reconciler.ts';
import { sameJson } from '#operator/runtime/same-json.ts';
import { isFailure } from '#shared/kube/failure.ts';
import { announceChildren, announceConditions } from './announce.ts';
import { createApplier } from './applier.ts';
import { applyChildren } from './children.ts';
import { gatherFacts } from './gather.ts';
import type { RegistryReconcilerOptions } from './reconciler-options.ts';
import { syncHosting } from './local-registry-hosting.ts';
import { removeRegistry } from './removal.ts';
import { computeStatus } from './status.ts';

/** A cause that no watch tells of (a free node port, a StorageClass, a claim of somebody's) is looked for this often. */
const lookAgainMs = 10_000;

/** Makes the world be as a Registry says, and the Registry's status as the world is. */
export function createRegistryReconciler(options: RegistryReconcilerOptions): Reconciler {
  const { client, caches, usage, events, log, clock } = options;
  const context = { ...options, applier: createApplier({ client, caches, log }) };
  /** What we wrote last: a cache that lags behind must not bring back an older status. */
  const written = new Map<string, Registry>();

  async function setStatus(registry: Registry, status: RegistryStatus, signal: AbortSignal): Promise<void> {
    if (sameJson(registry.status, status)) return;
    const { apiVersion, kind } = registryType;
    const { name, namespace = '', uid = '' } = registry.metadata;
    const wanted = { apiVersion, kind, metadata: { name, namespace, uid }, status };
    written.set(
      `${namespace}/${name}`,
      await client.apply<Registry>(registryType, wanted, { subresource: 'status', signal }),
    );
    announceConditions(events, registry, status);
  }

  async function converge(registry: Registry, signal: AbortSignal): Promise<Result> {
    const image = imageReference(registry.spec.image, options.image);
    const outcomes = await applyChildren(
      context,
      registry,
      { image, operatorNamespace: options.operatorNamespace },
      signal,
    );
    announceChildren(events, registry, outcomes);
    const hosting = await syncHosting(context, registry, signal);
    const facts = { ...(await gatherFacts(context, registry, outcomes, signal)), image, hosting };
    const status = computeStatus(facts);
    await setStatus(registry, status, signal);
    return isSettled(status) ? {} : { requeueAfterMs: lookAgainMs };
  }

  async function remove(registry: Registry, request: Request, signal: AbortSignal): Promise<Result> {
    if (!hasFinalizer(registry, finalizer)) return {};
    const removal = await unlessGone(removeRegistry(context, registry, signal));
    if (removal) {
      await setStatus(registry, deletingStatus(registry, removal.waitingFor, clock.date()), signal);
      return { requeueAfterMs: removal.againMs };
    }
    forget(request);
    return {};
  }

  function forget(request: Request): void {
    written.delete(`${request.namespace}/${request.name}`);
    usage.forget(request);
  }

  return {
    async reconcile(request, signal) {
      const cached = caches.registries.get(request);
      if (!cached) {
        forget(request);
        return {};
      }
      const registry = newer(cached, written.get(`${request.namespace}/${request.name}`));
      if (registry.metadata.deletionTimestamp !== undefined) return remove(registry, request, signal);
      const ours = await unlessGone(addFinalizer(client, registryType, registry, finalizer));
      return ours ? converge(ours, signal) : {};
    },
  };
}

async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isFailure(error, 404)) return undefined;
    throw error;
  }
}

/** The API server compares versions as numbers; since Kubernetes 1.35 clients may too. */
function newer(cached: Registry, written: Registry | undefined): Registry {
  const version = (registry: Registry): number => Number(registry.metadata.resourceVersion);
  const isSame = written?.metadata.uid === cached.metadata.uid;
  return written && isSame && version(written) > version(cached) ? written : cached;
}

/** Nothing is wrong or on its way that another look could show to be over. */
function isSettled({ conditions = [] }: RegistryStatus): boolean {
  return conditions.every(({ type, status }) =>
    type === 'Reconciling' || type === 'Degraded' ? status === 'False' : true,
  );
}

function deletingStatus(registry: Registry, waitingFor: string, now: Date): RegistryStatus {
  const { generation = 0 } = registry.metadata;
  const { conditions: before = [], ...status } = registry.status ?? {};
  const message = `Waits until it is forgotten by ${waitingFor}; not for long.`;
  const findings = [
    { type: 'Ready', status: 'False', reason: 'Deleting', message },
    { type: 'Reconciling', status: 'True', reason: 'Deleting', message },
  ] as const;
  const changed = toConditions([...findings], before, generation, now);
  const others = before.filter(({ type }) => !findings.some((finding) => finding.type === type));
  return { ...status, observedGeneration: generation, conditions: [...changed, ...others] };
}
