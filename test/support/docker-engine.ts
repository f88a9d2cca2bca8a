/** A real docker engine of its own for pushes and pulls: no network, no rule of a firewall, nothing left behind. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { clusterProgram } from './cluster-program.ts';
import { program } from './programs.ts';
import type { Scope } from './scope.ts';
import { startServerProcess } from './server-process.ts';
import { temporaryFolder } from './temporary.ts';

const execute = promisify(execFile);

/** Two pushes and pulls that have no line in common: Docker's own store of images, and containerd's, the default since 29. */
export type ImageStore = 'docker' | 'containerd';

export interface DockerEngine {
  store: ImageStore;
  /** Standard output of `docker ...args`; rejects with what it said on standard error. */
  docker: (...args: string[]) => Promise<string>;
}

const nothingOfTheMachine = ['--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false'];

const ignore = () => undefined;

/** Needs root. */
export async function startDockerEngine(scope: Scope, store: ImageStore): Promise<DockerEngine> {
  const folder = await temporaryFolder(scope);
  const [docker, runc, engine] = await Promise.all([
    program('docker'),
    program('runc'),
    store === 'docker' ? ofDocker() : ofContainerd(),
  ]);
  const host = `unix://${folder}/docker.sock`;
  const client = join(folder, 'client');
  await mkdir(client);
  const run = async (...args: string[]): Promise<string> =>
    (await execute(docker, ['--config', client, '--host', host, ...args])).stdout;
  // An engine that does not come up leaves a mount on its folder.
  const dataRoot = join(folder, 'data-root');
  scope.after(() => execute('umount', ['--lazy', dataRoot]).then(ignore, ignore));
  const paths = ['data-root', 'exec-root', 'pidfile'].map((option) => `--${option}=${join(folder, option)}`);
  const server = await startServerProcess({
    command: engine.dockerd,
    args: ['--host', host, ...paths, ...nothingOfTheMachine, ...engine.args],
    env: { PATH: [dirname(engine.containerd), dirname(runc), process.env['PATH']].join(delimiter), ...engine.env },
    ready: async () => void (await run('info')),
  });
  scope.after(async () => void (await server.kill('SIGTERM')));
  return { store, docker: run };
}

interface Programs {
  dockerd: string;
  containerd: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}

async function ofDocker(): Promise<Programs> {
  const [dockerd, containerd] = await Promise.all([program('dockerd'), program('containerd')]);
  return { dockerd, containerd, args: ['--storage-driver=vfs'] };
}

async function ofContainerd(): Promise<Programs> {
  const [dockerd, containerd] = await Promise.all([program('moby'), clusterProgram('containerd')]);
  // Debian's client is older than what this engine takes unless told.
  const env = { DOCKER_MIN_API_VERSION: '1.24' };
  return { dockerd, containerd, args: ['--ip6tables=false', '--userland-proxy=false'], env };
}
