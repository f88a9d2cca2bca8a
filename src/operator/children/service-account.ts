import type { Registry } from '#operator/api/registry.ts';
import { type ServiceAccount, serviceAccountType } from './kinds.ts';
import { ownedHead } from './metadata.ts';

/** An identity without any rights and without a token: the registry never talks to the API server. */
export function serviceAccount(registry: Registry): ServiceAccount {
  return { ...ownedHead(serviceAccountType, registry), automountServiceAccountToken: false };
}
