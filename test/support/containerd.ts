/** A real containerd of its own: no Kubernetes, no root folder of the machine, nothing left behind. */
import { execFile } from 'node:child_process';
import { access, constants, mkdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Scope } from './scope.ts';
import { startServerProcess } from './server-process.ts';
import { temporaryFolder } from './temporary.ts';

const execute = promisify(execFile);

export interface Containerd {
  /** Standard output of `ctr ...args`; rejects with what it said on standard error. */
  ctr(...args: string[]): Promise<string>;
}

/** What pulls need; the rest asks for more of the machine than a test may. */
const unused = [
  'io.containerd.cri.v1.images',
  'io.containerd.cri.v1.runtime',
  'io.containerd.grpc.v1.cri',
  'io.containerd.nri.v1.nri',
];

export async function startContainerd(scope: Scope): Promise<Containerd> {
  const folder = await temporaryFolder(scope);
  const address = join(folder, 'containerd.sock');
  const config = join(folder, 'config.toml');
  const [containerd, ctr] = await Promise.all([clusterProgram('containerd'), clusterProgram('ctr')]);
  await mkdir(join(folder, 'root'));
  await writeFile(config, configuration(folder, address));
  const run = async (...args: string[]): Promise<string> =>
    (await execute(ctr, ['--address', address, '--namespace', 'test', ...args])).stdout;
  const server = await startServerProcess({
    command: containerd,
    args: ['--config', config],
    ready: async () => void (await run('version')),
  });
  scope.after(async () => void (await server.kill('SIGTERM')));
  return { ctr: run };
}

function configuration(folder: string, address: string): string {
  const owner = `uid = ${process.getuid?.() ?? 0}\ngid = ${process.getgid?.() ?? 0}`;
  return `version = 3
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ${JSON.stringify(unused)}
[grpc]
address = "${address}"
${owner}
[ttrpc]
address = "${address}.ttrpc"
${owner}
`;
}

/** One of the programs that test clusters are made of, built first (a minute, once) when it is not there. */
export async function clusterProgram(name: string): Promise<string> {
  const cluster = process.env['CLUSTER_DIR'] ?? join(homedir(), '.cache', 'registry-operator', 'cluster');
  const path = join(cluster, 'bin', name);
  try {
    await access(path, constants.X_OK);
  } catch {
    await execute(fileURLToPath(new URL('../cluster/build-programs', import.meta.url)), [name]);
  }
  return path;
}
