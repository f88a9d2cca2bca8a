import { systemClock } from '#shared/clock.ts';
import { defaultCredentials } from '#shared/kube/default-credentials.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import { createLogger } from '#shared/logger.ts';
import { uninstall } from './uninstall.ts';
import { readUninstallSettings } from './uninstall-settings.ts';

/** `operator uninstall`. Exit code 0 also when nodes did not answer in time: they are named in the log. */
export async function uninstallMain(argv: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const settings = readUninstallSettings(argv, env);
  const log = createLogger({ level: settings.logLevel, fields: { program: 'operator uninstall' } });
  const client = createKubeClient({ credentials: await defaultCredentials(env), userAgent: 'registry-operator' });
  await uninstall({ client, settings, clock: systemClock, log, signal });
  log.info('done');
  return 0;
}
