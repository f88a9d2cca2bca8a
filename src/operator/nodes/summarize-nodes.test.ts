import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeMirror } from '#operator/api/node-mirror.ts';
import type { MirrorReport, MirrorState } from '#shared/node-mirrors.ts';
import { registryFixture, reportFixture, serviceFixture, servicePort } from '#test/support/nodes.ts';
import { planMirrors } from './registry-mirrors.ts';
import { type DaemonSet, type NodesSummary, summarizeNodes } from './summarize-nodes.ts';

const host = 'kind-registry:5000';
const endpoint = 'http://10.96.0.7:5000';
const registry = registryFixture();
const owner = { namespace: 'default', name: 'kind-registry', uid: 'uid-kind-registry' };
const service = serviceFixture('kind-registry', { clusterIP: '10.96.0.7', ports: [servicePort] });
const plan = planMirrors([registry], () => service);

function daemonSet(desiredNumberScheduled: number): DaemonSet {
  return { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent' }, status: { desiredNumberScheduled } };
}

function host1(state: MirrorState, message?: string): MirrorReport {
  return { host, registry: owner, state, endpoint, ...(message === undefined ? {} : { message }) };
}

const good = (node: string): NodeMirror => reportFixture(node, [host1('Configured')]);

function summarize(reports: NodeMirror[], desired = 3): NodesSummary {
  return summarizeNodes({ registry, plan, reports, daemonSet: daemonSet(desired) });
}

/** `NodesConfigured` and `NodesReachable` as `status reason`. */
const verdicts = ({ findings }: NodesSummary): string[] => findings.map(({ status, reason }) => `${status} ${reason}`);

test('all is well', () => {
  const summary = summarize([good('a'), good('b'), good('c')]);
  assert.deepEqual(summary.nodes, { desired: 3, configured: 3, summary: '3/3' });
  assert.deepEqual(verdicts(summary), ['True Configured', 'True Reachable']);
});

test('a node that has not reported is waited for; one that is new counts as soon as it reports', () => {
  const summary = summarize([good('a'), good('b')]);
  assert.equal(summary.nodes?.summary, '2/3');
  assert.deepEqual(verdicts(summary), ['False WaitingForNodes', 'True Reachable']);
  assert.match(summary.findings[0]?.message ?? '', /One node has not reported yet/);
  assert.equal(summarize([good('a'), good('b'), good('c'), good('d')]).nodes?.summary, '4/4');
});

test('a node with an older address, with another revision or with a host too much is pending', () => {
  const old = reportFixture('a', [{ ...host1('Configured'), endpoint: 'http://10.96.0.6:5000' }]);
  const extra = reportFixture('b', [host1('Configured'), { ...host1('Configured'), host: 'old:1' }]);
  const lagging = reportFixture('c', [], 'mirrors.json has version 2, this agent knows 1');
  const summary = summarize([old, extra, lagging]);
  assert.equal(summary.nodes?.summary, '0/3');
  assert.deepEqual(
    summary.nodes?.problems?.map(({ node, host, state }) => [node, host, state]),
    [
      ['a', host, 'Pending'],
      ['b', 'old:1', 'Pending'],
      ['c', host, 'Pending'],
    ],
  );
  assert.deepEqual(verdicts(summary), ['False WaitingForNodes', 'Unknown WaitingForNodes']);
  assert.match(summary.findings[0]?.message ?? '', /Node c.*version 2/);
});

test('a foreign file names node and path, before anything else that is wrong', () => {
  const reports = [
    reportFixture('a', [host1('Conflict', '/etc/containerd/certs.d/x/hosts.toml is a file of somebody else')]),
    reportFixture('b', [host1('Failed', 'no space')]),
  ];
  const summary = summarize(reports);
  assert.deepEqual(verdicts(summary)[0], 'False ForeignFile');
  assert.match(
    summary.findings[0]?.message ?? '',
    /Node a, host kind-registry:5000: \/etc\/containerd\/certs\.d\/x\/hosts\.toml/,
  );
  assert.deepEqual(
    summary.nodes?.problems?.map(({ state }) => state),
    ['Conflict', 'Failed'],
  );
});

test('what is written but not in force is not configured; what is written but not reached is', () => {
  const failed = summarize([reportFixture('a', [host1('Failed', 'no space')]), good('b')], 2);
  assert.deepEqual([failed.nodes?.summary, verdicts(failed)[0]], ['1/2', 'False WriteFailed']);
  const shadowed = summarize([reportFixture('a', [host1('Ineffective', 'shadow')]), good('b')], 2);
  assert.deepEqual([shadowed.nodes?.summary, verdicts(shadowed)[0]], ['1/2', 'False Shadowed']);
  const silent = summarize([reportFixture('a', [host1('Unreachable', 'http://x: connection refused')]), good('b')], 2);
  assert.deepEqual([silent.nodes?.summary, ...verdicts(silent)], ['2/2', 'True Configured', 'False ProbeFailed']);
  assert.match(silent.findings[1]?.message ?? '', /Node a.*connection refused.*NodeIP/);
});

test('a host that an older Registry has is a conflict with a remedy', () => {
  const young = registryFixture({ name: 'young', created: '2026-12-01T00:00:00Z' });
  const both = planMirrors([registry, young], () => service);
  const summary = summarizeNodes({ registry: young, plan: both, reports: [good('a')], daemonSet: daemonSet(1) });
  assert.deepEqual(
    [summary.nodes?.summary, ...verdicts(summary)],
    ['0/1', 'False HostConflict', 'Unknown WaitingForNodes'],
  );
  assert.match(summary.findings[0]?.message ?? '', /older Registry kind-registry in namespace default/);
});

test('no agent, no node, no address', () => {
  const view = { registry, plan, reports: [], daemonSet: undefined };
  assert.equal(verdicts(summarizeNodes(view))[0], 'False AgentMissing');
  assert.equal(verdicts(summarizeNodes({ ...view, daemonSet: daemonSet(0) }))[0], 'False NoNodes');
  const waiting = summarizeNodes({ ...view, plan: planMirrors([registry], () => undefined), daemonSet: daemonSet(1) });
  assert.deepEqual([waiting.nodes?.summary, verdicts(waiting)[0]], ['0/1', 'False WaitingForAddress']);
});

test('nodes have nothing to do with a Registry without hosts', () => {
  const view = { plan, reports: [good('a')], daemonSet: daemonSet(1) };
  assert.deepEqual(summarizeNodes({ ...view, registry: registryFixture({ hosts: [] }) }), {
    nodes: undefined,
    findings: [],
  });
});

test('many problems: the first in the message, twenty in the list, what only takes time last', () => {
  const pending = Array.from({ length: 30 }, (_, index) => reportFixture(`a${index}`, []));
  const foreign = ['b1', 'b2', 'b3', 'b4', 'b5'].map((node) => reportFixture(node, [host1('Conflict', 'foreign')]));
  const summary = summarize([...pending, ...foreign], 35);
  assert.equal(summary.nodes?.problems?.length, 20);
  assert.equal(summary.nodes?.problems?.filter(({ state }) => state === 'Conflict').length, 5);
  assert.match(summary.findings[0]?.message ?? '', /Node b3.*And 2 more\.$/);
});

test('with NodeIP each node has its own address', () => {
  const nodeIP = registryFixture({ reachability: 'NodeIP' });
  const own = planMirrors([nodeIP], () => service);
  const view = { registry: nodeIP, plan: own, daemonSet: daemonSet(1) };
  const at = (address: string) => reportFixture('a', [{ ...host1('Configured'), endpoint: address }]);
  assert.equal(summarizeNodes({ ...view, reports: [at('http://172.18.0.2:30500')] }).nodes?.summary, '1/1');
  assert.equal(summarizeNodes({ ...view, reports: [at('http://172.18.0.2:30501')] }).nodes?.summary, '0/1');
});
