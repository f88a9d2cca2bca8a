/** Operator and mirror agents together on a real API server: from a Registry to the files of two nodes, and back. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { childSelector, finalizer } from '#operator/api/names.ts';
import { nodeMirrorType } from '#operator/api/node-mirror.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import { eventually } from '#test/support/eventually.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import {
  accountKubeconfig,
  type AgentProcess,
  installAgentRights,
  mirrorsConfigMap,
  namespace,
  startAgent,
  startAnsweringNodePort,
} from '#test/support/mirror-agent.ts';
import { installOperatorRights, type RunningOperator, startOperator } from '#test/support/operator.ts';
import { registriesOn } from '#test/support/registries.ts';
import { mainFile } from '#test/support/registry.ts';
import { installCrds } from '#test/support/registry-crds.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

const apiserver = await startKubeApiserver({ after });
await installCrds(apiserver);
await installOperatorRights(apiserver);
await installAgentRights(apiserver);
const client = await apiserver.client();
const registries = registriesOn(client);
const host = 'kind-registry:5000';
let operator: RunningOperator;
before(async () => {
  await createDaemonSet(2);
  operator = await startOperator(apiserver);
});
after(() => operator.stop());

/** Reports first: their agents are gone, and would be waited for. Children by hand: nothing here collects garbage. */
afterEach(async () => {
  await apiserver.kubectl(['delete', 'nodemirrors', '--all']);
  for (const { metadata } of (await client.list(registryType)).items) await registries.remove(metadata.name);
  await apiserver.kubectl(['delete', 'services,deployments,configmaps', '--selector', childSelector]);
});

async function createDaemonSet(nodes: number): Promise<void> {
  const labels = { app: 'agent' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'agent', image: 'agent' }] } };
  const metadata = { name: 'registry-operator-mirror-agent', namespace };
  const daemonSet = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata,
    spec: { selector: { matchLabels: labels }, template },
  };
  await apiserver.kubectl(['apply', '-f', '-'], JSON.stringify(daemonSet));
  const status = {
    currentNumberScheduled: nodes,
    desiredNumberScheduled: nodes,
    numberMisscheduled: 0,
    numberReady: nodes,
  };
  const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })];
  await apiserver.kubectl(['patch', 'daemonset', metadata.name, '--namespace', namespace, ...patch]);
}

/** A Registry of these hosts that nodes reach at 127.0.0.1, which is every node's address here. */
function spec(nodePort: number, hosts = [host]): object {
  const nodes = { reachability: 'NodeIP' };
  return { hosts, storage: { emptyDir: {}, deletionPolicy: 'Delete' }, service: { type: 'NodePort', nodePort }, nodes };
}

interface Nodes {
  agents: [AgentProcess, AgentProcess];
  port: number;
}

async function startNodes(t: TestContext): Promise<Nodes> {
  const { port } = await startAnsweringNodePort(t);
  const agents = await Promise.all([
    startAgent(t, apiserver, { node: 'node-a' }),
    startAgent(t, apiserver, { node: 'node-b' }),
  ]);
  return { agents, port };
}

async function areEmpty({ agents }: Nodes): Promise<void> {
  await eventually(async () => {
    for (const agent of agents) assert.deepEqual(await readdir(agent.certs), []);
  });
}

test('a Registry is on every node, says so, and is off every node before it is gone', async (t) => {
  const nodes = await startNodes(t);
  await registries.create('one', spec(nodes.port, [host, 'localhost:5001']));
  const configured = await registries.condition('one', 'NodesConfigured', 'True');
  assert.match(configured.message, /2 of 2 nodes/);
  await registries.condition('one', 'NodesReachable', 'True');
  assert.partialDeepStrictEqual((await registries.get('one')).status?.nodes, {
    desired: 2,
    configured: 2,
    summary: '2/2',
  });
  for (const agent of nodes.agents) {
    assert.deepEqual((await readdir(agent.certs)).sort(), [host, 'localhost:5001']);
    assert.match(await agent.read(host), new RegExp(`^server = "http://127.0.0.1:${nodes.port}"$`, 'm'));
  }
  await registries.change('one', { hosts: [host] });
  await eventually(async () => {
    for (const agent of nodes.agents) assert.deepEqual(await readdir(agent.certs), [host]);
  });
  await registries.remove('one');
  for (const agent of nodes.agents) assert.deepEqual(await readdir(agent.certs), []);
});

test('a foreign file is a condition with node, path and remedy, and heals when it goes', async (t) => {
  const nodes = await startNodes(t);
  const [first] = nodes.agents;
  const directory = join(first.certs, host);
  await mkdir(directory);
  await writeFile(join(directory, 'hosts.toml'), 'server = "https://example.com"\n');
  await registries.create('one', spec(nodes.port));
  const { message } = await registries.condition('one', 'NodesConfigured', 'False', 'ForeignFile');
  assert.match(message, new RegExp(`Node node-a.*${directory}/hosts.toml.*remove it`));
  await rm(directory, { recursive: true });
  await registries.condition('one', 'NodesConfigured', 'True');
});

test('an address that does not answer is a condition with node, address and cause', async (t) => {
  const nodes = await startNodes(t);
  const silent = await startAnsweringNodePort(t);
  await silent.stop();
  await registries.create('one', spec(silent.port));
  const { message } = await registries.condition('one', 'NodesReachable', 'False', 'ProbeFailed');
  assert.match(message, new RegExp(`Node node-[ab].*127.0.0.1:${silent.port}: connection refused`));
  assert.equal((await registries.condition('one', 'NodesConfigured', 'True')).reason, 'Configured');
  await registries.change('one', { service: { nodePort: nodes.port } });
  await registries.condition('one', 'NodesReachable', 'True');
});

test('the ConfigMap is corrected when it is edited, removed or made immutable', async (t) => {
  const nodes = await startNodes(t);
  await registries.create('one', spec(nodes.port));
  await registries.condition('one', 'NodesConfigured', 'True');
  const configMap = ['configmap', mirrorsConfigMap, '--namespace', namespace];
  const read = () => apiserver.kubectl(['get', ...configMap, '-o', 'jsonpath={.data.mirrors\\.json}']);
  const text = await read();
  const damages = [
    ['patch', ...configMap, '--type=merge', '-p', '{"data":{"mirrors.json":"{}"}}'],
    ['delete', ...configMap],
    ['patch', ...configMap, '--type=merge', '-p', '{"data":{"mirrors.json":"x"},"immutable":true}'],
  ];
  for (const damage of damages) {
    await apiserver.kubectl(damage);
    await eventually(async () => assert.equal(await read(), text));
  }
  for (const agent of nodes.agents) assert.match(await agent.read(host), /owner=default\/one\//);
});

test('of two Registries the older has the host; when it goes, the other gets it', async (t) => {
  const nodes = await startNodes(t);
  await registries.create('older', spec(nodes.port));
  await registries.condition('older', 'NodesConfigured', 'True');
  const other = await startAnsweringNodePort(t);
  // Times of creation are whole seconds: by name, too, this one comes second.
  await registries.create('younger', spec(other.port));
  const { message } = await registries.condition('younger', 'NodesConfigured', 'False', 'HostConflict');
  assert.match(message, /older Registry older in namespace default/);
  await registries.remove('older');
  await registries.condition('younger', 'NodesConfigured', 'True');
  for (const agent of nodes.agents) assert.match(await agent.read(host), /owner=default\/younger\//);
});

test('the uninstall hook leaves nodes as they were and Registries free, and names the node that is silent', async (t) => {
  const nodes = await startNodes(t);
  await registries.create('one', spec(nodes.port));
  await registries.condition('one', 'NodesConfigured', 'True');
  await operator.stop();
  t.after(async () => {
    operator = await startOperator(apiserver);
  });
  const nodeMirror = { apiVersion: nodeMirrorType.apiVersion, kind: 'NodeMirror', metadata: { name: 'node-silent' } };
  await client.create(nodeMirrorType, nodeMirror);
  const pod = { metadata: { name: 'operator-0', namespace, labels: { app: 'operator' } } };
  const containers = { containers: [{ name: 'operator', image: 'operator' }] };
  await apiserver.kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod, spec: containers }),
  );
  const output = await runUninstall(t);
  assert.match(output, /"pods":\["operator-0"\]/);
  await apiserver.kubectl(['delete', 'pod', 'operator-0', '--namespace', namespace]);
  assert.match(output, /"nodes":\["node-silent"\]/);
  await areEmpty(nodes);
  assert.deepEqual((await client.list(nodeMirrorType)).items, []);
  const left = await client.get<Registry>(registryType, { namespace: 'default', name: 'one' });
  assert.ok(left && !left.metadata.finalizers?.includes(finalizer));
  const again = await runUninstall(t);
  assert.match(again, /"msg":"done"/);
  assert.deepEqual((await client.list(nodeMirrorType)).items, []);
});

/** With the rights of the chart; what it logged. */
async function runUninstall(t: TestContext): Promise<string> {
  const account = 'registry-operator';
  await apiserver.kubectl(['create', 'serviceaccount', account, '--namespace', namespace]).catch(() => undefined);
  const labels = { app: 'operator' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'operator', image: 'operator' }] } };
  const metadata = { name: 'registry-operator', namespace };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: { selector: { matchLabels: labels }, template },
  };
  await apiserver.kubectl(['apply', '-f', '-'], JSON.stringify(deployment));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [mainFile, 'operator', 'uninstall', '--deadline', '10s'],
    {
      env: {
        ...process.env,
        KUBECONFIG: await accountKubeconfig(await temporaryFolder(t), apiserver, account),
        POD_NAMESPACE: namespace,
      },
    },
  );
  const replicas = await apiserver.kubectl([
    'get',
    'deployment',
    'registry-operator',
    '-n',
    namespace,
    '-o',
    'jsonpath={.spec.replicas}',
  ]);
  assert.equal(replicas, '0');
  return stdout;
}
