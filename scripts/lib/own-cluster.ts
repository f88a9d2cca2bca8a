/** The long way to a cluster, without any image registry: see test/cluster/README.md. */
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSource } from './cluster-source.ts';
import { run, succeeds } from './command.ts';
import { engine, type Engine } from './engine.ts';
import { findProgram, installPackages } from './machine.ts';
import { clusterPrograms, root } from './paths.ts';
import { needGo } from './programs.ts';
import { Unmet, type Report } from './progress.ts';

const recipe = join(root, 'test', 'cluster');

/** Debian's names, each with a program that it brings. */
const packages: Record<string, string> = {
  podman: '/usr/bin/podman',
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  netavark: '/usr/lib/podman/netavark',
  'aardvark-dns': '/usr/lib/podman/aardvark-dns',
  iptables: '/usr/sbin/iptables',
  nftables: '/usr/sbin/nft',
  conntrack: '/usr/sbin/conntrack',
  debootstrap: '/usr/sbin/debootstrap',
};

/**
 * Machines that need this recipe often have cgroup v1 beside v2, which the kubelet refuses unless told, and whose hierarchies
 * are shared with the machine. kind's own node image must not get this patch.
 */
const kubeletPatch = `kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /kubelet
`;

/** The source when everything was made before, `undefined` otherwise. */
export async function ownSourceIfMade(): Promise<ClusterSource | undefined> {
  if (!(await findProgram('podman')) || !(await findProgram('kind', [clusterPrograms]))) return undefined;
  const podman = await ownEngine();
  const source = { engine: podman, kind: join(clusterPrograms, 'kind'), nodeImage: await nodeImage(), kubeletPatch };
  return (await podman.hasImage(source.nodeImage)) ? source : undefined;
}

/** Makes what is missing, in about eight minutes the first time. `because` opens the sentence of an Unmet. */
export async function ownSource(report: Report, because: string): Promise<ClusterSource> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !(await findProgram('apt-get'))) {
    throw new Unmet(
      `Cannot make a cluster, ${because}: start Docker (docs.docker.com/get-docker) or podman on a machine that can pull ` +
        'images, or run this as root on Debian, where a cluster can be built from packages and source.',
    );
  }
  await needGo(`Cannot make a cluster, ${because}: install Docker (docs.docker.com/get-docker)`);
  const missing = [];
  for (const [name, program] of Object.entries(packages)) {
    if (!(await findProgram(program, ['/']))) missing.push(name);
  }
  if (missing.length > 0) await installPackages(missing, report);
  await mkdir('/lib/modules', { recursive: true }); // kind mounts it into the nodes, and a container often has none
  await run(join(recipe, 'build-programs'), [], { onLine: report });
  await run(join(recipe, 'build-node-image'), [await nodeImage()], { onLine: report });
  const made = await ownSourceIfMade();
  if (!made) throw new Error('test/cluster made no node image');
  await removeFormerImages(made);
  return made;
}

/** Each is 780 MB. One that a cluster still uses is refused by podman, and stays. */
async function removeFormerImages({ engine, nodeImage }: ClusterSource): Promise<void> {
  const names = await engine.run(['images', '--format', '{{.Repository}}:{{.Tag}}']);
  const former = names
    .split('\n')
    .filter((name) => /^localhost\/kindest\/node:[0-9a-f]{12}$/.test(name) && name !== nodeImage);
  for (const name of former) await succeeds(engine.name, ['rmi', name], { env: engine.env });
}

async function ownEngine(): Promise<Engine> {
  return engine('podman', {
    KIND_EXPERIMENTAL_PROVIDER: 'podman',
    CONTAINERS_CONF: join(recipe, 'containers.conf'),
  });
}

/** The tag names the recipe, so that a changed one makes a new image. */
async function nodeImage(): Promise<string> {
  const hash = createHash('sha256');
  for (const file of globSync(['build-node-image', 'node/*', 'kubernetes/*', 'containerd/*'], { cwd: recipe }).sort()) {
    hash.update(file).update(await readFile(join(recipe, file)));
  }
  return `localhost/kindest/node:${hash.digest('hex').slice(0, 12)}`;
}
