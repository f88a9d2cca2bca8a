import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRegistry, type RegistryKind, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';

export interface BenchOptions {
  /** Seconds of load for one sample. */
  seconds: number;
  rounds: number;
  /** The command line of our program. */
  ours: string[];
}

/** Where the rows of one group work: servers that they share, folders that go away with it. */
export interface Bench extends BenchOptions {
  folder(): Promise<string>;
  /** The one server of this kind, on `root` when given. */
  server(kind: RegistryKind, root?: string): Promise<TestRegistry>;
  close(): Promise<void>;
}

export function openBench(options: BenchOptions): Bench {
  const scope = openScope();
  const servers = new Map<string, Promise<TestRegistry>>();
  return {
    ...options,
    async folder() {
      const path = await mkdtemp(join(tmpdir(), 'registry-operator-bench-'));
      scope.after(() => rm(path, { recursive: true, force: true }));
      return path;
    },
    server(kind, root) {
      const key = `${kind} ${root ?? ''}`;
      const server = servers.get(key) ?? startRegistry(scope, { kind, ...serverOptions(options, kind, root) });
      servers.set(key, server);
      return server;
    },
    close: () => scope.close(),
  };
}

function serverOptions({ ours }: BenchOptions, kind: RegistryKind, root: string | undefined) {
  return { ...(root !== undefined && { root }), ...(kind === 'ours' && { command: ours }) };
}
