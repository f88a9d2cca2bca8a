import { access } from 'node:fs/promises';
import type { Environment } from './load.ts';

const defaultFiles = ['/etc/distribution/config.yml', '/etc/docker/registry/config.yml'];

/** The file that was named, in the command or in REGISTRY_CONFIGURATION_PATH, else where distribution's images have it. */
export async function findConfigurationFile(named: string | undefined, env: Environment): Promise<string> {
  const given = named ?? env['REGISTRY_CONFIGURATION_PATH'] ?? '';
  if (given !== '') return given;
  for (const file of defaultFiles) if (await exists(file)) return file;
  throw new Error(`no configuration file: type "registry serve config.yml" (looked for ${defaultFiles.join(' and ')})`);
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false;
  }
}
