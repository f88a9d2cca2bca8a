/** kind clusters: made from kind-config.yaml, removed, and given images. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import type { ClusterSource } from './cluster-source.ts';
import { run } from './command.ts';
import { root } from './paths.ts';
import { Unmet, type Report } from './progress.ts';

interface KindConfig {
  nodes: { role: string; extraPortMappings?: { containerPort: number; hostPort: number; listenAddress: string }[] }[];
  kubeadmConfigPatches?: string[];
}

export interface ClusterOptions {
  name: string;
  /** The port of this machine that leads to nodePort 30500. */
  port: number;
}

/** The context that kind writes into the kubeconfig. */
export const contextOf = (cluster: string): string => `kind-${cluster}`;

export function kind(
  source: ClusterSource,
  args: string[],
  options: { report?: Report; input?: string } = {},
): Promise<string> {
  return run(source.kind, args, {
    env: source.engine.env,
    ...(options.report && { onLine: options.report }),
    ...(options.input !== undefined && { input: options.input }),
  });
}

export async function clusterExists(source: ClusterSource, name: string): Promise<boolean> {
  return (await kind(source, ['get', 'clusters'])).split('\n').includes(name);
}

/** Makes a cluster and waits until it is ready; about 30 s for three nodes. */
export async function createCluster(source: ClusterSource, options: ClusterOptions, report: Report): Promise<void> {
  if (!(await isFree(options.port))) {
    throw new Unmet(
      `Port ${options.port} of 127.0.0.1 is taken: end what listens there (another cluster of this kind?) or pass -- --port N.`,
    );
  }
  const image = source.nodeImage === undefined ? [] : ['--image', source.nodeImage];
  const args = ['create', 'cluster', '--name', options.name, ...image, '--config', '-', '--wait', '180s'];
  await kind(source, args, { report, input: await kindConfig(source, options.port) });
}

/** kind-config.yaml with the port that is wanted and with what the node image needs. */
async function kindConfig(source: ClusterSource, port: number): Promise<string> {
  const config = load(await readFile(join(root, 'kind-config.yaml'), 'utf8')) as KindConfig;
  for (const node of config.nodes) {
    for (const mapping of node.extraPortMappings ?? []) mapping.hostPort = port;
  }
  if (source.kubeletPatch) config.kubeadmConfigPatches = [...(config.kubeadmConfigPatches ?? []), source.kubeletPatch];
  return dump(config);
}

export async function deleteCluster(source: ClusterSource, name: string, report: Report): Promise<void> {
  await kind(source, ['delete', 'cluster', '--name', name], { report });
}

export async function clusterNodes(source: ClusterSource, name: string): Promise<string[]> {
  return (await kind(source, ['get', 'nodes', '--name', name]))
    .split('\n')
    .filter((node) => node !== '')
    .sort();
}

/** Gives an image to every node that lacks it. The reference must name its content: it is not compared. */
export async function loadImage(source: ClusterSource, name: string, reference: string, report: Report): Promise<void> {
  const nodes = await clusterNodes(source, name);
  const lacking = [];
  for (const node of nodes) {
    const query = ['exec', node, 'ctr', '-n', 'k8s.io', 'images', 'ls', '-q', `name==${reference}`];
    if ((await source.engine.run(query)) === '') lacking.push(node);
  }
  if (lacking.length === 0) return;
  // `kind load docker-image` asks docker for the image, whatever the provider is.
  const folder = await mkdtemp(join(tmpdir(), 'registry-operator-image-'));
  try {
    const archive = join(folder, 'image.tar');
    await source.engine.run(['save', '-o', archive, reference], { onLine: report });
    await kind(source, ['load', 'image-archive', archive, '--name', name, '--nodes', lacking.join(',')], { report });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
