/** The mirror agent as a real process, on a node that is a folder, with exactly the rights that the chart gives it. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NodeMirror } from '#operator/api/node-mirror.ts';
import { type Mirror, mirrorsKey, serializeMirrors } from '#shared/node-mirrors.ts';
import { freePort } from './free-port.ts';
import type { KubeApiserver } from './kube-apiserver.ts';
import { program } from './programs.ts';
import { mainFile } from './registry.ts';
import type { Scope } from './scope.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import { temporaryFolder } from './temporary.ts';

export const namespace = 'registry-operator';
export const mirrorsConfigMap = 'registry-operator-mirrors';

const agentAccount = 'registry-operator-mirror-agent';

/** The namespace, and the agent's ServiceAccount, roles and admission policy as the chart renders them. */
export async function installAgentRights(apiserver: KubeApiserver): Promise<void> {
  const created = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await apiserver.kubectl(['apply', '-f', '-'], JSON.stringify(created));
  const template = ['template', 'registry-operator', 'charts/registry-operator', '--namespace', namespace];
  const files = ['rbac', 'admission'].flatMap((name) => ['--show-only', `templates/mirror-agent/${name}.yaml`]);
  const { stdout } = await promisify(execFile)(await program('helm'), [...template, ...files]);
  await apiserver.kubectl(['apply', '-f', '-'], stdout);
}

export interface AgentProcess extends ServerProcess {
  certs: string;
  /** The text of a host's hosts.toml. */
  read(host: string): Promise<string>;
  /** The node's report. */
  report(): Promise<NodeMirror>;
  /** Status and body of GET on the health address. */
  health(path: string): Promise<{ status: number; body: string }>;
}

export interface AgentProcessOptions {
  node: string;
  certs?: string;
  env?: NodeJS.ProcessEnv;
}

/** A Node of that name, a folder for its certs.d, and the agent. */
export async function startAgent(
  scope: Scope,
  apiserver: KubeApiserver,
  { node, certs, env }: AgentProcessOptions,
): Promise<AgentProcess> {
  const folder = await temporaryFolder(scope);
  const directory = certs ?? join(folder, 'certs.d');
  await mkdir(directory, { recursive: true });
  const address = `127.0.0.1:${await freePort()}`;
  const health: AgentProcess['health'] = async (path) => {
    const response = await fetch(`http://${address}${path}`);
    return { status: response.status, body: await response.text() };
  };
  const agent = await startServerProcess({
    command: process.execPath,
    args: [mainFile, 'mirror-agent'],
    env: {
      KUBECONFIG: await agentKubeconfig(folder, apiserver, node),
      NODE_NAME: node,
      NODE_IP: '127.0.0.1',
      POD_NAMESPACE: namespace,
      MIRRORS_CONFIGMAP: mirrorsConfigMap,
      CERTS_DIR: directory,
      HEALTH_ADDR: address,
      ...env,
    },
    ready: async () => {
      const { status, body } = await health('/livez');
      if (status !== 200) throw new Error(body);
    },
  });
  scope.after(async () => void (await agent.kill('SIGKILL')));
  return {
    ...agent,
    certs: directory,
    health,
    read: (host) => readFile(join(directory, host, 'hosts.toml'), 'utf8'),
    report: async () => JSON.parse(await apiserver.kubectl(['get', 'nodemirror', node, '-o', 'json'])) as NodeMirror,
  };
}

/** A kubeconfig, in that folder, of a ServiceAccount of the namespace; of one of its Pods when `bound` names it. */
export async function accountKubeconfig(
  folder: string,
  apiserver: KubeApiserver,
  account: string,
  bound: string[] = [],
): Promise<string> {
  const token = await apiserver.kubectl(['create', 'token', account, '--namespace', namespace, ...bound]);
  const config = JSON.parse(await readFile(apiserver.kubeconfig, 'utf8')) as { users: { user: object }[] };
  for (const user of config.users) user.user = { token: token.trim() };
  const file = join(folder, 'kubeconfig');
  await writeFile(file, JSON.stringify(config));
  return file;
}

/** The Node, and the agent's Pod on it: its token says where it runs. */
async function agentKubeconfig(folder: string, apiserver: KubeApiserver, node: string): Promise<string> {
  const pod = `mirror-agent-${node}`;
  const spec = { nodeName: node, serviceAccountName: agentAccount, containers: [{ name: 'agent', image: 'agent' }] };
  const items = [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: node } },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: pod, namespace }, spec },
  ];
  await apiserver.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const bound = ['--bound-object-kind', 'Pod', '--bound-object-name', pod];
  return accountKubeconfig(folder, apiserver, agentAccount, bound);
}

/** Writes the ConfigMap as the operator would; the text that it then has. */
export async function publishMirrors(apiserver: KubeApiserver, mirrors: Mirror[]): Promise<string> {
  const text = serializeMirrors({ version: 1, mirrors });
  await publishText(apiserver, text);
  return text;
}

export async function publishText(apiserver: KubeApiserver, text: string): Promise<void> {
  const metadata = { name: mirrorsConfigMap, namespace };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [mirrorsKey]: text } };
  await apiserver.kubectl(['apply', '--server-side', '-f', '-'], JSON.stringify(configMap));
}

export async function unpublish(apiserver: KubeApiserver): Promise<void> {
  await apiserver.kubectl(['delete', 'configmap', mirrorsConfigMap, '--namespace', namespace, '--ignore-not-found']);
}

export interface Answering {
  /** `http://127.0.0.1:<port>` */
  url: string;
  port: number;
  stop(): Promise<void>;
}

/** An address that answers GET /v2/ as a registry does, on any port when none is named. */
export async function startAnswering(scope: Scope, port = 0): Promise<Answering> {
  const server = createServer((_request, response) => response.end('{}'));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  scope.after(stop);
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://127.0.0.1:${bound}`, port: bound, stop };
}

/** The same on a port that a Service of type NodePort can have, so that 127.0.0.1 passes for the address of a node. */
export async function startAnsweringNodePort(scope: Scope): Promise<Answering> {
  for (let port = 32_767; port > 30_000; port--) {
    try {
      return await startAnswering(scope, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error('every node port is taken');
}
