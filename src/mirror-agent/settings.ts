import { isIP } from 'node:net';
import { duration, listenAddress, logLevel, readSettings } from '#shared/settings.ts';

const table = {
  nodeName: { flag: 'node-name', env: 'NODE_NAME', help: 'The node that this agent runs on.', parse: name },
  nodeIP: {
    flag: 'node-ip',
    env: 'NODE_IP',
    help: 'The address of that node: what {nodeIP} stands for.',
    parse: address,
  },
  namespace: { flag: 'namespace', env: 'POD_NAMESPACE', help: "The operator's namespace.", parse: name },
  mirrorsConfigMap: {
    flag: 'mirrors-configmap',
    env: 'MIRRORS_CONFIGMAP',
    default: 'registry-operator-mirrors',
    help: 'The ConfigMap in that namespace in which the operator publishes what nodes are to know.',
    parse: name,
  },
  certsDirectory: {
    flag: 'certs-dir',
    env: 'CERTS_DIR',
    default: '/etc/containerd/certs.d',
    help: "containerd's config_path on this node.",
    parse: absolutePath,
  },
  syncPeriodMs: {
    flag: 'sync-period',
    env: 'SYNC_PERIOD',
    default: '60s',
    help: 'Look at all again after this time, even if nothing seems to have changed: 1s to 24h.',
    parse: period,
  },
  healthAddress: {
    flag: 'health-addr',
    env: 'HEALTH_ADDR',
    default: '127.0.0.1:18082',
    help: 'Where /livez and /readyz answer. The agent uses the network of the node: keep it on 127.0.0.1.',
    parse: listenAddress,
  },
  logLevel,
};

export type AgentSettings = ReturnType<typeof readAgentSettings>;

/** Throws a SettingsError that lists all the problems. */
export function readAgentSettings(argv: string[], env: NodeJS.ProcessEnv) {
  return readSettings('mirror-agent', table, argv, env);
}

function name(value: string): string {
  if (value === '') throw new Error('expected a name');
  return value;
}

function address(value: string): string {
  if (isIP(value) === 0) throw new Error('expected an IP address');
  return value;
}

function absolutePath(value: string): string {
  if (!value.startsWith('/') || value.split('/').includes('..'))
    throw new Error('expected an absolute path without ..');
  return value.length > 1 ? value.replace(/\/+$/, '') : value;
}

function period(value: string): number {
  const ms = duration(value);
  if (ms < 1000 || ms > 86_400_000) throw new Error('expected a duration from 1s to 24h');
  return ms;
}
