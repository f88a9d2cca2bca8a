import { duration, logLevel, names, readSettings, text } from '#shared/settings.ts';

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
    parse: names,
  },
  deadlineMs: {
    flag: 'deadline',
    env: 'DEADLINE',
    default: '60s',
    help: 'How long to wait for the operator to end, and for the nodes to confirm.',
    parse: duration,
  },
  logLevel,
};

export type UninstallSettings = ReturnType<typeof readUninstallSettings>;

/** Throws a SettingsError that lists all the problems. */
export function readUninstallSettings(argv: string[], env: NodeJS.ProcessEnv) {
  return readSettings('operator uninstall', table, argv, env);
}
