/**
 * A real API server for tests, as controller-runtime's envtest has it: etcd and kube-apiserver, and none of the
 * controllers (a Deployment gets no Pods, what an owner leaves behind is not collected).
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isExecutable } from '#scripts/lib/machine.ts';
import { kubernetesPrograms } from '#scripts/lib/programs.ts';
import { createKubeClient, type KubeClientOptions } from '#shared/kube/http-client.ts';
import { kubeConfigCredentials } from '#shared/kube/kube-config.ts';
import type { KubeClient } from '#shared/kube/kube-client.ts';
import { type Child, startChild } from './child.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './free-port.ts';

/** `{ after }` of node:test for a whole file, or the context of one test. */
interface Scope {
  after(hook: () => void | Promise<void>): void;
}

export interface KubeApiserver {
  /** `https://127.0.0.1:port`. */
  server: string;
  /** A file with the CA of its certificate. */
  ca: string;
  /** A file for kubectl and for {@link kubeConfigCredentials}; its user may do everything. */
  kubeconfig: string;
  /** The bearer token of that user. */
  token: string;
  /** A client of its own connections, with full rights. */
  client(options?: Partial<KubeClientOptions>): Promise<KubeClient>;
  /** Standard output of `kubectl ...args`; rejects with what it said on standard error. */
  kubectl(args: string[], input?: string): Promise<string>;
  /** Ends kube-apiserver and leaves etcd. */
  stop(): Promise<void>;
  /** Starts kube-apiserver again, with the same address and data, and tokens for more users when given. */
  start(): Promise<void>;
  /** Makes etcd forget all history, so that older resourceVersions are gone (410). */
  compact(): Promise<void>;
}

const admin = 'admin-token';

/**
 * Starts both (about 4 s) and ends them with `scope`. For a whole file, at its top level (in a `before` hook, `after`
 * would end with that hook): `const apiserver = await startKubeApiserver({ after });`
 */
export async function startKubeApiserver(scope: Scope): Promise<KubeApiserver> {
  const assets = await assetsFolder();
  const folder = await mkdtemp(join(tmpdir(), 'registry-operator-apiserver-'));
  const [etcdPort, peerPort, securePort] = (await freePorts(3)) as [number, number, number];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const server = `https://127.0.0.1:${securePort}`;
  const kubeconfig = join(folder, 'kubeconfig');
  // kube-apiserver makes it, with the CA that signed it behind it in the same file.
  const ca = join(folder, 'certificates', 'apiserver.crt');
  await writeKeys(folder);
  await writeFile(kubeconfig, kubeconfigText(server, ca));
  const etcd = startChild(join(assets, 'etcd'), etcdArgs(join(folder, 'etcd'), etcdUrl, peerPort));
  let apiserver: Child | undefined;
  const start = async (): Promise<void> => {
    apiserver = startChild(join(assets, 'kube-apiserver'), apiserverArgs(folder, etcdUrl, securePort));
    await ready(await client(), apiserver, etcd);
  };
  const client = async (options: Partial<KubeClientOptions> = {}): Promise<KubeClient> =>
    createKubeClient({ credentials: await kubeConfigCredentials({ file: kubeconfig }), ...options });
  const stop = async (): Promise<void> => apiserver?.stop();
  scope.after(async () => {
    await stop();
    await etcd.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await start();
  const kubectl = (args: string[], input?: string): Promise<string> =>
    run(join(assets, 'kubectl'), ['--kubeconfig', kubeconfig, ...args], input);
  return { server, ca, kubeconfig, token: admin, client, kubectl, start, stop, compact: () => compact(etcdUrl) };
}

/** The folder of etcd, kube-apiserver and kubectl: the one that is named, or else built once from source. */
async function assetsFolder(): Promise<string> {
  const named = process.env['KUBEBUILDER_ASSETS'];
  if (named === undefined) return kubernetesPrograms();
  for (const program of ['etcd', 'kube-apiserver', 'kubectl']) {
    if (!(await isExecutable(join(named, program)))) throw new Error(`KUBEBUILDER_ASSETS: no ${program} in ${named}`);
  }
  return named;
}

async function writeKeys(folder: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(join(folder, 'service-account.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }));
  await writeFile(join(folder, 'tokens.csv'), `${admin},admin,1,system:masters\n`);
  await mkdir(join(folder, 'certificates'));
}

function etcdArgs(data: string, url: string, peerPort: number): string[] {
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
  ];
}

function apiserverArgs(folder: string, etcdUrl: string, port: number): string[] {
  const key = join(folder, 'service-account.key');
  return [
    `--etcd-servers=${etcdUrl}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certificates')}`,
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.0.0.0/24',
    // Without the controller that makes the ServiceAccount "default", its admission would refuse every Pod.
    '--disable-admission-plugins=ServiceAccount',
  ];
}

function kubeconfigText(server: string, ca: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': ca } }],
    users: [{ name: 'admin', user: { token: admin } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}

async function ready(client: KubeClient, ...children: Child[]): Promise<void> {
  const died = Promise.race(children.map((child) => child.ended)).then((words) => {
    throw new Error(`etcd or kube-apiserver ended: ${words}`);
  });
  const namespaces = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };
  const answers = eventually(
    async () => {
      (await client.open('/readyz', AbortSignal.timeout(2000))).resume();
      const found = await client.get(namespaces, { namespace: '', name: 'default' });
      if (!found) throw new Error('no namespace "default" yet');
    },
    { timeoutMs: 60_000 },
  );
  await Promise.race([answers, died]);
  died.catch(() => {});
}

async function compact(etcdUrl: string): Promise<void> {
  const post = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
    const response = await fetch(`${etcdUrl}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`etcd: ${await response.text()}`);
    return (await response.json()) as { header: { revision: string } };
  };
  const { header } = await post('range', { key: Buffer.from('/').toString('base64'), count_only: true });
  await post('compaction', { revision: header.revision, physical: true });
}

async function run(program: string, args: string[], input?: string): Promise<string> {
  const running = promisify(execFile)(program, args, { maxBuffer: 16 << 20 });
  running.child.stdin?.end(input);
  return (await running).stdout;
}
