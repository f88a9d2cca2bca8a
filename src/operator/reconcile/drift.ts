import { createHash } from 'node:crypto';
import { appliedAnnotation } from '#operator/api/names.ts';
import { parseQuantity } from '#operator/api/quantity.ts';
import type { KubeObject } from '#shared/kube/kube-client.ts';

/** With a note of what is applied, so that later a field which is no longer wanted is noticed. */
export function withAppliedHash<T extends KubeObject>(wanted: T): T {
  const { metadata } = wanted;
  const hash = createHash('sha256').update(JSON.stringify(wanted)).digest('hex').slice(0, 16);
  return { ...wanted, metadata: { ...metadata, annotations: { ...metadata.annotations, [appliedAnnotation]: hash } } };
}

/** Fields that say which element of a list is meant; by these, server-side apply merges lists instead of replacing them. */
const mergeKeys = ['name', 'mountPath', 'containerPort', 'uid'];

/** Maps that are one value as a whole: a key more is another selector. */
const atomicMaps = new Set(['selector', 'podSelector', 'namespaceSelector', 'matchLabels', 'nodeSelector']);

/**
 * Whether `live` has everything that `wanted` says; what it has besides (defaults, others' fields, others' list elements) is
 * not ours. Saves an apply for each of the many changes that are none: a Deployment's status, a claim that is bound.
 */
export function satisfies(live: unknown, wanted: unknown): boolean {
  if (wanted === null || wanted === undefined) return live === null || live === undefined;
  // What is empty says nothing, and the API server may leave it out.
  if (Array.isArray(wanted)) return satisfiesList(live ?? [], wanted);
  if (isRecord(wanted)) {
    if (!isRecord(live)) return live === undefined && Object.keys(wanted).length === 0;
    return Object.entries(wanted).every(
      ([key, value]) => satisfies(live[key], value) && !(atomicMaps.has(key) && hasMoreKeys(live[key], value)),
    );
  }
  return live === wanted || sameQuantity(live, wanted);
}

function satisfiesList(live: unknown, wanted: unknown[]): boolean {
  if (!Array.isArray(live)) return false;
  const key = mergeKeys.find((name) => wanted.length > 0 && wanted.every((item) => isRecord(item) && name in item));
  if (key === undefined) {
    return live.length === wanted.length && wanted.every((item, index) => satisfies(live[index], item));
  }
  return (wanted as Record<string, unknown>[]).every((item) =>
    satisfies(
      live.find((other) => isRecord(other) && other[key] === item[key]),
      item,
    ),
  );
}

function hasMoreKeys(live: unknown, wanted: unknown): boolean {
  return isRecord(live) && isRecord(wanted) && Object.keys(live).length > Object.keys(wanted).length;
}

/** The API server writes quantities in its own way: `1024Mi` comes back as `1Gi`. */
function sameQuantity(live: unknown, wanted: unknown): boolean {
  if (typeof live !== 'string' || typeof wanted !== 'string') return false;
  return parseQuantity(live) === parseQuantity(wanted);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
