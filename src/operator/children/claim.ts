import { registryUidLabel } from '#operator/api/names.ts';
import { parseQuantity } from '#operator/api/quantity.ts';
import type { Registry } from '#operator/api/registry.ts';
import { type Claim, claimType } from './kinds.ts';
import { childHead, ownedHead } from './metadata.ts';

/**
 * The claim of a Registry that asks for one. A retained claim has no ownerReference, so that it outlives the Registry;
 * one that is already there is taken as it is: only its size may change, and only grow.
 */
export function claim(registry: Registry, existing?: Claim): Claim | undefined {
  const { persistentVolumeClaim: wanted, deletionPolicy } = registry.spec.storage;
  if (!wanted) return undefined;
  const head = (deletionPolicy === 'Delete' ? ownedHead : childHead)(claimType, registry);
  const labels = { ...head.metadata.labels, [registryUidLabel]: registry.metadata.uid ?? '' };
  const storageClassName = existing ? existing.spec.storageClassName : wanted.storageClassName;
  return {
    ...head,
    metadata: { ...head.metadata, labels },
    spec: {
      accessModes: existing?.spec.accessModes ?? wanted.accessModes,
      ...((wanted.storageClassName ?? storageClassName) !== undefined && {
        storageClassName: wanted.storageClassName ?? storageClassName,
      }),
      resources: { requests: { storage: larger(wanted.size, existing?.spec.resources?.requests?.['storage']) } },
    },
  };
}

function larger(wanted: string, existing: string | undefined): string {
  return existing !== undefined && parseQuantity(existing) > parseQuantity(wanted) ? existing : wanted;
}

/** Name of the claim that the Pods mount; `undefined` for an emptyDir. */
export function claimName(registry: Registry): string | undefined {
  const { persistentVolumeClaim, existingClaim } = registry.spec.storage;
  return persistentVolumeClaim ? registry.metadata.name : existingClaim;
}
