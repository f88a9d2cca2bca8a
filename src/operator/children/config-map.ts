import { createHash } from 'node:crypto';
import { dump } from 'js-yaml';
import { debugPort, registryPort } from '#operator/api/names.ts';
import type { Registry } from '#operator/api/registry.ts';
import { type ConfigMap, configMapType } from './kinds.ts';
import { ownedHead } from './metadata.ts';

export const configKey = 'config.yml';
export const dataFolder = '/var/lib/registry';

/** The registry's config.yml in distribution's words. */
export function configMap(registry: Registry): ConfigMap {
  return { ...ownedHead(configMapType, registry), data: { [configKey]: dump(configuration(registry)) } };
}

function configuration(registry: Registry): object {
  const { server, logLevel } = registry.spec;
  return {
    version: 0.1,
    log: { level: logLevel, formatter: 'json' },
    storage: {
      filesystem: { rootdirectory: dataFolder },
      delete: { enabled: server.deletes === 'Enabled' },
      ...(server.accessMode === 'ReadOnly' && { maintenance: { readonly: { enabled: true } } }),
    },
    http: {
      addr: `:${registryPort}`,
      debug: { addr: `:${debugPort}`, prometheus: { enabled: true, path: '/metrics' } },
      draintimeout: '20s',
    },
    ...garbageCollection(registry),
    health: { storagedriver: { enabled: true, interval: '10s', threshold: 3 } },
  };
}

/** The key of our own that distribution's configuration has no word for. */
function garbageCollection({ spec }: Registry): object {
  if (!spec.garbageCollection) return {};
  const { interval, minAge, untagged } = spec.garbageCollection;
  return {
    extensions: { garbagecollection: { interval, minage: minAge, deleteuntagged: untagged === 'Delete' } },
  };
}

/** Changes when the Pods have to be replaced to read the new configuration. */
export function configChecksum(configMap: ConfigMap): string {
  return createHash('sha256')
    .update(configMap.data?.[configKey] ?? '')
    .digest('hex')
    .slice(0, 16);
}
