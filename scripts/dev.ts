/**
 * `npm run dev [-- --context NAME] [-- operator flags]`: the operator from the sources against a cluster, started again at
 * each change. An operator that is installed there sleeps meanwhile.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from './lib/command.ts';
import { namespace, release } from './lib/install.ts';
import { cache, root } from './lib/paths.ts';
import { line, runScript, step, Unmet } from './lib/progress.ts';
import { needProgram } from './lib/programs.ts';
import { target as targetOf, type Target } from './lib/target.ts';

interface Deployment {
  spec: { replicas: number; template: { spec: { containers: { image: string }[] } } };
}

async function dev(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { context: { type: 'string' }, image: { type: 'string' } },
  });
  const context = values.context ?? (await currentContext());
  const target = await targetOf(context, () => {});
  await step(`CustomResourceDefinitions in ${context}`, () =>
    target.kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(root, 'crds')]),
  );
  const installed = await target.get<Deployment>('deployment', release, namespace);
  const image = values.image ?? installed?.spec.template.spec.containers[0]?.image;
  if (image === undefined) {
    throw new Unmet(
      'Which image shall registries run? Install the operator first (npm run up -- --no-demo), or pass -- --image REF.',
    );
  }
  if (installed) await scale(target, 0);
  try {
    await runOperator(await kubeconfigOf(target), image, positionals);
  } finally {
    if (installed) await scale(target, installed.spec.replicas || 1);
  }
}

async function currentContext(): Promise<string> {
  return run(await needProgram('kubectl', () => {}), ['config', 'current-context']);
}

async function scale(target: Target, replicas: number): Promise<void> {
  await step(`the installed operator to ${replicas} replicas`, () =>
    target.kubectl(['scale', 'deployment', release, '-n', namespace, `--replicas=${replicas}`]),
  );
}

/** A kubeconfig of this context alone: the operator takes the current one. */
async function kubeconfigOf(target: Target): Promise<string> {
  const file = join(cache, 'dev', encodeURIComponent(target.context));
  await mkdir(join(cache, 'dev'), { recursive: true, mode: 0o700 });
  await writeFile(file, await target.kubectl(['config', 'view', '--minify', '--flatten', '--raw']), { mode: 0o600 });
  return file;
}

/** Until Ctrl-C. Outside of the cluster a Service's address leads nowhere, so usage is read through the API server. */
async function runOperator(kubeconfig: string, image: string, flags: string[]): Promise<void> {
  line(`operator from the sources, registries run ${image}; Ctrl-C ends it`);
  const child = spawn(process.execPath, ['--watch', 'src/main.ts', 'operator', ...flags], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      KUBECONFIG: kubeconfig,
      POD_NAMESPACE: namespace,
      POD_NAME: 'npm-run-dev',
      REGISTRY_IMAGE: image,
      REGISTRY_ACCESS: 'proxy',
      LEADER_ELECT: 'false',
      METRICS_ADDR: '127.0.0.1:8080',
      HEALTH_ADDR: '127.0.0.1:8081',
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'debug',
    },
  });
  // Both get the Ctrl-C of the terminal; we stay to put things back.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGTERM'));
  await once(child, 'exit');
}

await runScript(dev);
