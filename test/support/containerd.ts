/** A real containerd of its own: no Kubernetes, no root folder of the machine, nothing left behind. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clusterProgram } from './cluster-program.ts';
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
