/** What the status of a Registry says about nodes: pure. */
import type { Finding } from '#operator/api/conditions.ts';
import type { NodeMirror } from '#operator/api/node-mirror.ts';
import type { Registry } from '#operator/api/registry.ts';
import type { NodeProblem, NodesStatus } from '#operator/api/registry-status.ts';
import type { KubeObject } from '#shared/kube/kube-client.ts';
import { nodeState, type NodeState } from './node-states.ts';
import { type HostConflict, type MirrorPlan, wantsNodes } from './registry-mirrors.ts';

/** As much of the mirror agents' DaemonSet as matters here. */
export interface DaemonSet extends KubeObject {
  status?: { desiredNumberScheduled?: number };
}

export interface NodesView {
  registry: Registry;
  /** Of all Registries. */
  plan: MirrorPlan;
  /** Of all nodes. */
  reports: NodeMirror[];
  /** The mirror agents'; `undefined` when there is none. */
  daemonSet: DaemonSet | undefined;
}

export interface NodesSummary {
  /** `undefined` for a Registry that nodes have nothing to do with. */
  nodes: NodesStatus | undefined;
  /** NodesConfigured and NodesReachable; none for such a Registry. */
  findings: Finding[];
}

/** As many as the schema takes. */
const maxProblems = 20;

/** A new node counts as soon as its agent reports, or as soon as the DaemonSet counts it. */
export function summarizeNodes(view: NodesView): NodesSummary {
  const { registry, plan, reports, daemonSet } = view;
  if (!wantsNodes(registry)) return { nodes: undefined, findings: [] };
  const uid = registry.metadata.uid ?? '';
  const mirrors = plan.mirrors.mirrors.filter((mirror) => mirror.registry.uid === uid);
  const states = reports
    .map((report) => nodeState(report, uid, mirrors))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));
  const desired = Math.max(daemonSet?.status?.desiredNumberScheduled ?? 0, states.length);
  const configured = mirrors.length === 0 ? 0 : states.filter((state) => state.configured).length;
  const problems = worstFirst(states.flatMap((state) => state.problems)).slice(0, maxProblems);
  const facts: Facts = {
    states,
    desired,
    configured,
    hasAgent: daemonSet !== undefined,
    hasAddress: mirrors.length > 0,
    conflicts: plan.conflicts.filter(({ loser }) => loser.uid === uid),
  };
  return {
    nodes: { desired, configured, summary: `${configured}/${desired}`, ...(problems.length > 0 && { problems }) },
    findings: [
      { type: 'NodesConfigured', ...configuredFinding(facts) },
      { type: 'NodesReachable', ...reachableFinding(facts) },
    ],
  };
}

interface Facts {
  states: NodeState[];
  desired: number;
  configured: number;
  hasAgent: boolean;
  hasAddress: boolean;
  conflicts: HostConflict[];
}

type Verdict = Omit<Finding, 'type'>;

/** What people have to do something about comes first. */
function configuredFinding(facts: Facts): Verdict {
  const { states, desired, configured, conflicts } = facts;
  const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });
  if (conflicts.length > 0) return no('HostConflict', sentences(conflicts.map(describeConflict)));
  for (const [state, reason] of [
    ['Conflict', 'ForeignFile'],
    ['Failed', 'WriteFailed'],
    ['Ineffective', 'Shadowed'],
  ] as const) {
    const problems = problemsOf(states, state);
    if (problems.length > 0) return no(reason, sentences(problems.map(describeProblem)));
  }
  if (!facts.hasAgent && desired === 0) {
    return no(
      'AgentMissing',
      'There is no mirror agent: its DaemonSet is missing. Install the chart with mirrorAgent enabled.',
    );
  }
  if (desired === 0)
    return no('NoNodes', "The mirror agent's DaemonSet matches no node: look at its nodeSelector and tolerations.");
  if (!facts.hasAddress) return no('WaitingForAddress', 'The Service of the registry has no address for nodes yet.');
  if (configured < desired) return no('WaitingForNodes', waiting(facts));
  return { status: 'True', reason: 'Configured', message: `Configured on ${configured} of ${desired} nodes.` };
}

function reachableFinding({ states, desired, hasAddress, configured }: Facts): Verdict {
  const problems = problemsOf(states, 'Unreachable');
  if (problems.length > 0) {
    const remedy =
      'If the registry itself is available, look at NetworkPolicies and kube-proxy, or set spec.nodes.reachability to NodeIP.';
    return { status: 'False', reason: 'ProbeFailed', message: `${sentences(problems.map(describeProblem))} ${remedy}` };
  }
  if (!hasAddress || configured === 0) {
    return {
      status: 'Unknown',
      reason: 'WaitingForNodes',
      message: 'No node has asked the registry for an answer yet.',
    };
  }
  const answered = states.filter(({ reachable }) => reachable).length;
  return { status: 'True', reason: 'Reachable', message: `The registry answers ${answered} of ${desired} nodes.` };
}

function waiting({ states, desired }: Facts): string {
  const named = states.flatMap(({ problems }) => problems.slice(0, 1)).map(describeProblem);
  const silent = desired - states.length;
  const count = silent === 1 ? 'One node has' : `${silent} nodes have`;
  return sentences([
    ...(silent > 0 ? [`${count} not reported yet: is the mirror agent running there?`] : []),
    ...named,
  ]);
}

/** What only takes time comes last. */
function worstFirst(problems: NodeProblem[]): NodeProblem[] {
  return problems.toSorted((a, b) => Number(a.state === 'Pending') - Number(b.state === 'Pending'));
}

function problemsOf(states: NodeState[], state: NodeProblem['state']): NodeProblem[] {
  return states.flatMap(({ problems }) => problems.filter((problem) => problem.state === state));
}

function describeProblem({ node, host, message }: NodeProblem): string {
  return `Node ${node}${host === undefined ? '' : `, host ${host}`}: ${message ?? ''}.`;
}

function describeConflict({ host, winner }: HostConflict): string {
  return (
    `The host ${host} belongs to the older Registry ${winner.name} in namespace ${winner.namespace}: ` +
    'remove it from spec.hosts of one of the two.'
  );
}

/** As many as somebody reads; the rest as a number. */
const maxSentences = 3;

function sentences(all: string[]): string {
  const rest = all.length - maxSentences;
  return [...all.slice(0, maxSentences), ...(rest > 0 ? [`And ${rest} more.`] : [])].join(' ');
}
