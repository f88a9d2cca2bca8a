/** How one Registry stands on each node, from the nodes' reports: pure. */
import type { NodeMirror } from '#operator/api/node-mirror.ts';
import type { NodeProblem } from '#operator/api/registry-status.ts';
import type { Mirror, MirrorReport } from '#shared/node-mirrors.ts';

export interface NodeState {
  node: string;
  /** Every host of the Registry is written and in force, whether or not the address answers. */
  configured: boolean;
  reachable: boolean;
  problems: NodeProblem[];
}

/** `mirrors`: those of this Registry. A node that has them already counts, whatever revision it has come to otherwise. */
export function nodeState(report: NodeMirror, registryUid: string, mirrors: Mirror[]): NodeState {
  const hosts = (report.status?.hosts ?? []).filter(({ registry }) => registry.uid === registryUid);
  const problems = [
    ...mirrors.flatMap((mirror) => hostProblem(report, hosts, mirror) ?? []),
    ...hosts.flatMap((host) => leftover(report, host, mirrors) ?? []),
  ];
  return {
    node: report.metadata.name,
    configured: problems.every(({ state }) => state === 'Unreachable'),
    reachable: problems.length === 0,
    problems,
  };
}

const unreported = 'the mirror agent has not reported this yet';

function hostProblem(node: NodeMirror, hosts: MirrorReport[], mirror: Mirror): NodeProblem | undefined {
  const host = hosts.find((candidate) => candidate.host === mirror.host);
  const { name } = node.metadata;
  if (!host || (host.endpoint !== undefined && !isOneOf(host.endpoint, mirror.endpoints))) {
    const message = node.status?.message ?? `${unreported}; if none is to run there: kubectl delete nodemirror ${name}`;
    return { node: name, host: mirror.host, state: 'Pending', message };
  }
  if (host.state === 'Configured') return undefined;
  return { node: name, host: host.host, state: host.state, message: host.message ?? 'no reason given' };
}

/** A host that the Registry had and has no longer. What somebody edited is theirs: that it stays is no problem of ours. */
function leftover(node: NodeMirror, host: MirrorReport, mirrors: Mirror[]): NodeProblem | undefined {
  if (host.state === 'Conflict' || mirrors.some((mirror) => mirror.host === host.host)) return undefined;
  const state = host.state === 'Failed' ? 'Failed' : 'Pending';
  const message = host.message ?? 'the mirror agent has not removed this yet';
  return { node: node.metadata.name, host: host.host, state, message };
}

/** Whether `endpoint` is one of these URLs, `{nodeIP}` being anything. */
function isOneOf(endpoint: string, templates: string[]): boolean {
  return templates.some((template) => {
    const [before = '', after] = template.split('{nodeIP}');
    if (after === undefined) return endpoint === template;
    return endpoint.length > before.length + after.length && endpoint.startsWith(before) && endpoint.endsWith(after);
  });
}
