/** Ready, Reconciling and Degraded: what the other conditions come to. */
import type { Finding } from '#operator/api/conditions.ts';
import { childProblem, isRolledOut } from './available-condition.ts';
import { type Facts, no, stoppedReason, type Verdict, waitingPrefix, yes } from './facts.ts';

/** Without these, a push or a pull does not work. In the order in which one follows from the other. */
const needed = ['ServiceReady', 'Available', 'NodesConfigured'];

/** If these do not hold, something else does not either, and they say why. */
const causes = ['StorageReady', ...needed];

const isWaiting = ({ status, reason }: Finding): boolean =>
  status === 'Unknown' || (status === 'False' && reason.startsWith(waitingPrefix));

/** That nodes do not reach a registry which is down says nothing new. */
function problemsOf(findings: Finding[]): Finding[] {
  const isUp = findings.some(({ type, status }) => type === 'Available' && status === 'True');
  return findings.filter(({ type, status, reason }) => {
    if (status !== 'False' || reason.startsWith(waitingPrefix) || reason === stoppedReason) return false;
    return isUp || type !== 'NodesReachable';
  });
}

export function summarize(facts: Facts, findings: Finding[]): Finding[] {
  return [
    { type: 'Ready', ...ready(facts, findings) },
    { type: 'Reconciling', ...reconciling(facts, findings) },
    { type: 'Degraded', ...degraded(facts, findings) },
  ];
}

/**
 * True when pushes work, and pulls on every node. A node that joins later does not take it away while it is set up: a
 * cluster that grows and shrinks would never be ready.
 */
function ready({ registry }: Facts, findings: Finding[]): Verdict {
  const held = findings.filter((finding) => {
    if (!needed.includes(finding.type) || finding.status === 'True') return false;
    return !(finding.type === 'NodesConfigured' && isWaiting(finding) && wasReady(registry));
  });
  if (held.length === 0) return yes('Ready', 'Pushes and pulls work.');
  const cause = causes
    .map((type) => findings.find((finding) => finding.type === type && finding.status !== 'True'))
    .find((finding) => finding !== undefined);
  return no(cause?.reason ?? 'Unknown', cause?.message ?? '');
}

function wasReady({ metadata, status }: Facts['registry']): boolean {
  const before = status?.conditions?.find(({ type }) => type === 'Ready');
  return before?.status === 'True' && before.observedGeneration === metadata.generation;
}

function reconciling({ deployment }: Facts, findings: Finding[]): Verdict {
  const waiting = findings.filter((finding) => causes.includes(finding.type) && isWaiting(finding));
  if (waiting.length > 0) return yes(waiting[0]?.reason ?? '', waiting.map(({ message }) => message).join(' '));
  const broken = findings.some(({ type, status }) => type === 'Available' && status === 'False');
  if (!broken && !isRolledOut(deployment)) return yes('WaitingForRollout', 'The Pods are being replaced.');
  return no('Settled', 'Nothing is on its way.');
}

function degraded(facts: Facts, findings: Finding[]): Verdict {
  const problems = problemsOf(findings).map(({ type, reason, message }) => ({ reason, text: `${type}: ${message}` }));
  const child = childProblem(facts);
  if (child && !problems.some(({ reason }) => reason === child.reason)) {
    problems.push({ reason: child.reason, text: child.message });
  }
  if (problems.length === 0) return no('AsExpected', 'Nothing is wrong.');
  return yes(problems[0]?.reason ?? '', problems.map(({ text }) => text).join(' '));
}
