import type { Registry } from '#operator/api/registry.ts';
import { type PodDisruptionBudget, podDisruptionBudgetType } from './kinds.ts';
import { ownedHead, selectorLabels } from './metadata.ts';

/** One Pod at a time: a drain never takes all replicas, and never waits forever for the only one. */
export function podDisruptionBudget(registry: Registry): PodDisruptionBudget | undefined {
  if (registry.spec.podDisruptionBudget === 'Disabled') return undefined;
  return {
    ...ownedHead(podDisruptionBudgetType, registry),
    spec: {
      maxUnavailable: 1,
      selector: { matchLabels: selectorLabels(registry) },
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
    },
  };
}
