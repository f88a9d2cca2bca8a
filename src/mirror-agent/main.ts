import { type Answer, serveEndpoints } from '#shared/endpoints.ts';
import { createReflector } from '#shared/kube/reflector.ts';
import { defaultCredentials } from '#shared/kube/default-credentials.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import type { ResourceType } from '#shared/kube/kube-client.ts';
import { createLogger } from '#shared/logger.ts';
import { SettingsError } from '#shared/settings.ts';
import { createAgent } from './agent.ts';
import type { ConfigMap } from './mirrors-source.ts';
import { type AgentSettings, readAgentSettings } from './settings.ts';

const configMapType: ResourceType = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };

/** Exit code: 0 after a signal, 2 for settings that are wrong, 1 when the health address is taken. */
export async function main(argv: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  try {
    return await serve(readAgentSettings(argv, env), env, signal);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    (error.exitCode === 0 ? process.stdout : process.stderr).write(`${error.message}\n`);
    return error.exitCode;
  }
}

async function serve(settings: AgentSettings, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const { namespace, mirrorsConfigMap, nodeName, healthAddress } = settings;
  const log = createLogger({ level: settings.logLevel, fields: { program: 'mirror-agent', node: nodeName } });
  const client = createKubeClient({
    credentials: await defaultCredentials(env),
    fieldManager: 'registry-operator-mirror-agent',
    userAgent: 'registry-operator-mirror-agent',
  });
  const list = { namespace, fieldSelector: `metadata.name=${mirrorsConfigMap}` };
  const cache = createReflector<ConfigMap>({ client, type: configMapType, list, log });
  const agent = createAgent({ settings, cache, client, log });
  const health = await serveEndpoints(healthAddress, {
    '/livez': () => answer(agent.health.live()),
    '/readyz': () => answer(agent.health.ready()),
  });
  log.info({ directory: settings.certsDirectory, healthPort: health.port }, 'started');
  await Promise.all([cache.run(signal), agent.run(signal)]);
  await health.close();
  log.info('stopped; the files of this node stay as they are');
  return 0;
}

function answer(problem: string | undefined): Answer {
  return problem === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${problem}\n` };
}
