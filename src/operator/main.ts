/** PROGRAM 2, the controller: `operator`, and `operator uninstall` for the chart's last hook. */
import { collectDefaultMetrics, Registry as MetricsRegistry } from 'prom-client';
import { uninstallMain } from '#operator/nodes/uninstall-main.ts';
import { createRuntimeMetrics } from '#operator/runtime/metrics.ts';
import { defaultCredentials } from '#shared/kube/default-credentials.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import { isInCluster } from '#shared/kube/in-cluster.ts';
import { createLogger } from '#shared/logger.ts';
import { SettingsError } from '#shared/settings.ts';
import { createOperator } from './operator.ts';
import { readOperatorSettings } from './settings.ts';

export async function main(argv: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  try {
    const [word, ...rest] = argv;
    if (word === 'uninstall') return await uninstallMain(rest, env, signal);
    return await run(argv, env, signal);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

async function run(argv: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const settings = readOperatorSettings(argv, env);
  const log = createLogger({ level: settings.logLevel, fields: { program: 'operator' } });
  const registry = new MetricsRegistry();
  collectDefaultMetrics({ register: registry });
  const metrics = createRuntimeMetrics(registry);
  const client = createKubeClient({ credentials: await defaultCredentials(env), observer: metrics.kube });
  const access = settings.access === 'auto' ? (isInCluster(env) ? 'direct' : 'proxy') : settings.access;
  const operator = createOperator({ client, log, registry, metrics, settings: { ...settings, access } });
  try {
    await operator.run(signal);
    log.info('stopped');
    return 0;
  } catch (err) {
    log.fatal({ err }, 'the operator ends');
    return 1;
  }
}
