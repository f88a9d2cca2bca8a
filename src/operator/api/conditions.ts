import { choice, integer, list, object, required, string, type TypeOf } from './schema.ts';

const condition = object('One aspect of the state. Shape: metav1.Condition.', {
  type: required(string('What it is about.', { maxLength: 316 })),
  status: required(choice('Whether it holds.', 'True', 'False', 'Unknown')),
  observedGeneration: integer('metadata.generation that it was found for.', { minimum: 0, format: 'int64' }),
  lastTransitionTime: required(string('When status changed last.', { maxLength: 32, format: 'date-time' })),
  reason: required(string('Why, for programs.', { minLength: 1, maxLength: 1024 })),
  message: required(string('Why, and what to do, for people.', { maxLength: 32_768 })),
});

export const conditionList = list('The state, aspect by aspect.', condition, {
  maxItems: 32,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
});

export type Condition = TypeOf<typeof condition>;

/** Ready sums up; Reconciling and Degraded are the two that are False when all is well. */
export type ConditionType =
  | 'Ready'
  | 'Available'
  | 'StorageReady'
  | 'StorageHealthy'
  | 'ServiceReady'
  | 'NodesConfigured'
  | 'NodesReachable'
  | 'CatalogSynced'
  | 'LocalRegistryHosting'
  | 'Reconciling'
  | 'Degraded';

/** A condition before it is known whether, and so when, it changed. */
export interface Finding {
  type: ConditionType;
  status: Condition['status'];
  /** CamelCase. */
  reason: string;
  /** A sentence; with the remedy when something is wrong. */
  message: string;
}

/** Enough for any remedy; a hundred nodes with the same trouble need not all be named. */
const longestMessage = 2000;

/** Findings as conditions: a time of transition is kept for as long as the status is the same. */
export function toConditions(
  findings: Finding[],
  previous: Condition[] | undefined,
  generation: number,
  now: Date,
): Condition[] {
  return findings.map(({ type, status, reason, message }) => {
    const before = previous?.find((candidate) => candidate.type === type);
    const since = before?.status === status ? before.lastTransitionTime : `${now.toISOString().slice(0, 19)}Z`;
    const text = message.length > longestMessage ? `${message.slice(0, longestMessage - 3)}...` : message;
    return { type, status, observedGeneration: generation, lastTransitionTime: since, reason, message: text };
  });
}
