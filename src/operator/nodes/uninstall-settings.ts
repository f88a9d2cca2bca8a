import { parseDuration } from '#shared/duration.ts';
import { oneOf, readSettings, text } from '#shared/settings.ts';

const table = {
  namespace: { flag: 'namespace', env: 'POD_NAMESPACE', help: "The operator's namespace.", parse: text },
  deployment: {
    flag: 'operator-deployment',
    env: 'OPERATOR_DEPLOYMENT',
    default: 'registry-operator',
    help: 'The Deployment of the operator in that namespace.',
    parse: text,
  },
  mirrorsConfigMap: {
    flag: 'mirrors-configmap',
    env: 'MIRRORS_CONFIGMAP',
    default: 'registry-operator-mirrors',
    help: 'The ConfigMap in that namespace in which the operator publishes what nodes are to know.',
    parse: text,
  },
  watchNamespaces: {
    flag: 'watch-namespaces',
    env: 'WATCH_NAMESPACES',
    default: '',
    help: 'The namespaces of the operator, separated by commas; all when empty.',
    parse: (value: string) => value.split(',').filter((name) => name !== ''),
  },
  deadlineMs: {
    flag: 'deadline',
    env: 'DEADLINE',
    default: '60s',
    help: 'How long to wait for the operator to end, and for the nodes to confirm.',
    parse: duration,
  },
  logLevel: {
    flag: 'log-level',
    env: 'LOG_LEVEL',
    default: 'info',
    help: 'error, warn, info, debug or trace.',
    parse: oneOf('error', 'warn', 'info', 'debug', 'trace', 'silent'),
  },
};

export type UninstallSettings = ReturnType<typeof readUninstallSettings>;

/** Throws a SettingsError that lists all the problems. */
export function readUninstallSettings(argv: string[], env: NodeJS.ProcessEnv) {
  return readSettings('operator uninstall', table, argv, env);
}

function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined || ms < 0) throw new Error('expected a duration such as 60s');
  return ms;
}
