import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';

export const leases: ResourceType = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
};

export interface Lease extends KubeObject {
  spec?: LeaseSpec;
}

export interface LeaseSpec {
  /** Empty or absent: nobody. */
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  acquireTime?: string;
  renewTime?: string;
  /** How often the lease changed hands. */
  leaseTransitions?: number;
}

/** As the API server takes a metav1.MicroTime: exactly six digits. */
export function microTime(date: Date): string {
  return `${date.toISOString().slice(0, -1)}000Z`;
}

/** What the Lease says once `identity` holds it, or still does. */
export function heldBy(identity: string, durationMs: number, now: Date, before: LeaseSpec | undefined): LeaseSpec {
  const kept = before?.holderIdentity === identity;
  const transitions = before?.leaseTransitions ?? 0;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: durationMs / 1000,
    acquireTime: (kept ? before.acquireTime : undefined) ?? microTime(now),
    renewTime: microTime(now),
    leaseTransitions: kept || before === undefined ? transitions : transitions + 1,
  };
}
