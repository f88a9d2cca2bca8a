/** The settings of the operator: flag, environment variable, default and meaning of each in one place. */
import { hostname } from 'node:os';
import { boolean, duration, listenAddress, logLevel, names, oneOf, readSettings, text } from '#shared/settings.ts';

const table = {
  namespace: { flag: 'namespace', env: 'POD_NAMESPACE', help: "The operator's own namespace.", parse: text },
  podName: {
    flag: 'pod-name',
    env: 'POD_NAME',
    default: hostname(),
    help: 'Who this process is, in Events and for leader election.',
    parse: text,
  },
  image: {
    flag: 'registry-image',
    env: 'REGISTRY_IMAGE',
    help: 'Image of Registries that name none, such as registry-operator:0.1.0.',
    parse: text,
  },
  watchNamespaces: {
    flag: 'watch-namespaces',
    env: 'WATCH_NAMESPACES',
    default: '',
    help: 'Namespaces whose Registries are looked after, separated by commas; all when empty.',
    parse: names,
  },
  mirrorsConfigMap: {
    flag: 'mirrors-configmap',
    env: 'MIRRORS_CONFIGMAP',
    default: 'registry-operator-mirrors',
    help: 'ConfigMap in the own namespace by which nodes are told what to configure.',
    parse: text,
  },
  mirrorAgentDaemonSet: {
    flag: 'mirror-agent-daemonset',
    env: 'MIRROR_AGENT_DAEMONSET',
    default: 'registry-operator-mirror-agent',
    help: 'DaemonSet in the own namespace that configures the nodes.',
    parse: text,
  },
  access: {
    flag: 'registry-access',
    env: 'REGISTRY_ACCESS',
    default: 'auto',
    help: 'How registries are asked for their usage: direct (by cluster IP), proxy (through the API server), or auto: direct in a Pod.',
    parse: oneOf('auto', 'direct', 'proxy'),
  },
  leaderElection: {
    flag: 'leader-elect',
    env: 'LEADER_ELECT',
    default: 'true',
    help: 'Whether to wait until no other operator of this Lease is at work.',
    parse: boolean,
  },
  leaseName: {
    flag: 'lease-name',
    env: 'LEASE_NAME',
    default: 'registry-operator',
    help: 'Lease in the own namespace for leader election.',
    parse: text,
  },
  metricsAddress: {
    flag: 'metrics-addr',
    env: 'METRICS_ADDR',
    default: ':8080',
    help: 'Where /metrics is served.',
    parse: listenAddress,
  },
  healthAddress: {
    flag: 'health-addr',
    env: 'HEALTH_ADDR',
    default: ':8081',
    help: 'Where /livez and /readyz are served.',
    parse: listenAddress,
  },
  removalDeadlineMs: {
    flag: 'removal-deadline',
    env: 'REMOVAL_DEADLINE',
    default: '60s',
    help: 'How long nodes are waited for when a Registry is deleted.',
    parse: duration,
  },
  logLevel,
};

export type OperatorSettings = ReturnType<typeof readOperatorSettings>;

/** Throws a SettingsError that lists all the problems. */
export function readOperatorSettings(argv: string[], env: NodeJS.ProcessEnv) {
  return readSettings('operator', table, argv, env);
}
