import type { Condition } from '#operator/api/conditions.ts';
import type { Registry } from '#operator/api/registry.ts';
import type { RegistryStatus } from '#operator/api/registry-status.ts';
import type { EventRecorder } from '#operator/runtime/events.ts';
import type { Outcomes } from './children.ts';
import { stoppedReason, waitingPrefix } from './facts.ts';

/** Sums of others, of which Events would only say the same again. */
const sums = new Set(['Ready', 'Reconciling', 'Degraded']);

/** Tells of what has become bad or good again since the last status, once each. */
export function announceConditions(events: EventRecorder, registry: Registry, status: RegistryStatus): void {
  const before = new Map((registry.status?.conditions ?? []).map((condition) => [condition.type, condition]));
  const isUp = status.conditions?.some(({ type, status }) => type === 'Available' && status === 'True');
  for (const condition of status.conditions ?? []) {
    const { type, status: value, reason, message } = condition;
    const old = before.get(type);
    if (old?.status === value && old.reason === reason) continue;
    // That nodes do not reach a registry which is down is no news of its own.
    if (type === 'NodesReachable' && !isUp) continue;
    if (isProblem(condition)) {
      if (!sums.has(type)) events.record(registry, { type: 'Warning', reason, action: 'Reconcile', note: message });
    } else if (value === 'True' && (type === 'Ready' || (old && !sums.has(type) && isProblem(old)))) {
      events.record(registry, { type: 'Normal', reason, action: 'Reconcile', note: message });
    }
  }
}

function isProblem({ status, reason }: Condition): boolean {
  return status === 'False' && !reason.startsWith(waitingPrefix) && reason !== stoppedReason;
}

/** Tells of children that were made, at first or because somebody had deleted them. */
export function announceChildren(events: EventRecorder, registry: Registry, outcomes: Outcomes): void {
  for (const outcome of Object.values(outcomes)) {
    if (outcome.state !== 'created') continue;
    const { kind, metadata } = outcome.live;
    const note = `${kind} ${metadata.name} created.`;
    events.record(registry, { type: 'Normal', reason: 'Created', action: 'Reconcile', note });
  }
}
