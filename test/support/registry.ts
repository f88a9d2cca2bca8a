/**
 * Registries as real processes behind one small interface: ours, and the two that we are measured against. Each gets the
 * same configuration file, a folder of its own, and a port that stays the same when it is started again.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { freePorts } from './free-port.ts';
import { program } from './programs.ts';
import type { Scope } from './scope.ts';

/** `ours`, distribution 3 (`registry:3`), and Debian's docker-registry 2.8 (`registry:2`). */
export const registryKinds = ['ours', 'distribution', 'docker-registry'] as const;
export type RegistryKind = (typeof registryKinds)[number];
export type PeerKind = Exclude<RegistryKind, 'ours'>;
export const peerKinds: readonly PeerKind[] = ['distribution', 'docker-registry'];

export interface RegistryOptions {
  kind?: RegistryKind;
  /** The storage's root directory; a temporary folder when omitted. */
  root?: string;
  /** Merged over the default configuration, section by section. */
  config?: Record<string, unknown>;
  env?: NodeJS.ProcessEnv;
  /** Another command line for our own program, such as a bundle: `[command, ...args]`. */
  command?: string[];
}

export interface TestRegistry extends ServerProcess {
  readonly kind: RegistryKind;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** `127.0.0.1:<port>`, as image references begin. */
  readonly host: string;
  readonly debugUrl: string;
  readonly root: string;
  readonly configFile: string;
}

export const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The command line that runs a registry program, without the words `serve` or `garbage-collect`. */
export async function registryCommand(kind: RegistryKind): Promise<string[]> {
  if (kind === 'ours') return [process.execPath, mainFile, 'registry'];
  return [await program(kind === 'distribution' ? 'distribution-registry' : 'docker-registry')];
}

/** Starts a registry and waits for its first answer; it ends with the scope, and its temporary folder goes with it. */
export async function startRegistry(scope: Scope, options: RegistryOptions = {}): Promise<TestRegistry> {
  const kind = options.kind ?? 'ours';
  const folder = await mkdtemp(join(tmpdir(), 'registry-operator-'));
  const root = options.root ?? join(folder, 'data');
  const configFile = join(folder, 'config.yml');
  const [host = '', debug = ''] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
  await writeFile(configFile, JSON.stringify(configuration(root, host, debug, options.config)));
  const [command = '', ...args] = options.command ?? (await registryCommand(kind));
  let server: ServerProcess | undefined;
  let over = false;
  scope.after(async () => {
    over = true;
    await server?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  server = await startServerProcess({
    command,
    args: [...args, 'serve', configFile],
    env: { OTEL_TRACES_EXPORTER: 'none', ...options.env },
    ready: () => answers(`http://${host}/v2/`),
  });
  if (over) {
    await server.kill('SIGKILL');
    throw new Error('the test was over before its registry had started');
  }
  return { ...server, kind, url: `http://${host}`, host, debugUrl: `http://${debug}`, root, configFile };
}

async function answers(url: string): Promise<void> {
  const response = await fetch(url);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
}

/** JSON is YAML: the same file for all three. */
function configuration(
  root: string,
  addr: string,
  debug: string,
  sections: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: root }, delete: { enabled: true } },
    http: { addr, debug: { addr: debug, prometheus: { enabled: true, path: '/metrics' } } },
    ...sections,
  };
}
