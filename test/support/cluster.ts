/**
 * A real kind cluster of three nodes for end-to-end tests, made and removed by the very scripts that users run, with a
 * kubeconfig of its own. KEEP_CLUSTER=true leaves it there to be looked at, until the next run.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterNodes, contextOf } from '#scripts/lib/cluster.ts';
import { run } from '#scripts/lib/command.ts';
import { findClusterSource } from '#scripts/lib/find-cluster-source.ts';
import { cache, root } from '#scripts/lib/paths.ts';
import { target, type Target } from '#scripts/lib/target.ts';

export interface TestCluster extends Target {
  /** Of this machine; leads to nodePort 30500. */
  port: number;
  nodes: string[];
  /** Standard output of a shell command inside a node. */
  onNode(node: string, command: string): Promise<string>;
  /** Server-side applies objects. */
  apply(...objects: object[]): Promise<void>;
}

export interface ScriptResult {
  stdout: string;
  seconds: number;
}

const name = 'registry-operator-e2e';
const kubeconfig = join(cache, 'e2e', 'kubeconfig');

/** Runs `scripts/<script>.ts` for the test cluster, its progress shown; rejects when it fails. */
export async function runScript(script: 'up' | 'down', args: string[] = []): Promise<ScriptResult> {
  await mkdir(join(cache, 'e2e'), { recursive: true });
  const started = performance.now();
  const stdout = await run(process.execPath, [join(root, 'scripts', `${script}.ts`), '--name', name, ...args], {
    cwd: root,
    env: { KUBECONFIG: kubeconfig },
    onLine: (line) => process.stderr.write(`${line}\n`),
  });
  return { stdout, seconds: (performance.now() - started) / 1000 };
}

/** The cluster, once it is up. */
export async function testCluster(port: number): Promise<TestCluster> {
  const source = await findClusterSource(() => {});
  const bound = await target(contextOf(name), () => {}, kubeconfig);
  return {
    ...bound,
    port,
    nodes: await clusterNodes(source, name),
    onNode: (node, command) => source.engine.run(['exec', node, 'sh', '-c', command]),
    apply: async (...objects) => {
      const list = { apiVersion: 'v1', kind: 'List', items: objects };
      await bound.kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: JSON.stringify(list) });
    },
  };
}

/** Removes the cluster, unless KEEP_CLUSTER is set. */
export async function removeCluster(): Promise<void> {
  if (!process.env['KEEP_CLUSTER']) await runScript('down');
}
