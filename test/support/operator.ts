/** The operator of this source tree, in this process, against a real API server, with exactly the rights of its chart. */
import { Registry as MetricsRegistry } from 'prom-client';
import { createOperator, type OperatorOptions } from '#operator/operator.ts';
import { clusterRules, kubePublicRules, namespaceRules, type PolicyRule } from '#operator/permissions.ts';
import { LeadershipLostError } from '#operator/runtime/leader-election.ts';
import { createRuntimeMetrics } from '#operator/runtime/metrics.ts';
import { readOperatorSettings } from '#operator/settings.ts';
import type { Credentials } from '#shared/kube/credentials.ts';
import { createKubeClient } from '#shared/kube/http-client.ts';
import { kubeConfigCredentials } from '#shared/kube/kube-config.ts';
import { createLogger } from '#shared/logger.ts';
import type { KubeApiserver } from './kube-apiserver.ts';

export const operatorNamespace = 'registry-operator';
const user = `system:serviceaccount:${operatorNamespace}:registry-operator`;

export interface RunningOperator {
  /** Sum of a metric over all label values that match. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  /** Ends as a Pod does; rejects when it failed before. */
  stop(): Promise<void>;
}

export interface StartOperatorOptions {
  access?: OperatorOptions['access'];
  env?: NodeJS.ProcessEnv;
  /** Starts anew, as a Pod is, when its Lease was lost: an API server that starts again may be away for longer than it waits. */
  restarts?: boolean;
}

/** What is not in any namespace, as the chart's template has it too. */
const clusterScoped = new Set(['nodemirrors', 'storageclasses']);

/** Makes the namespace and the roles, for these namespaces only if some are named; once per API server. */
export async function installOperatorRights(apiserver: KubeApiserver, namespaces: string[] = []): Promise<void> {
  const everywhere = clusterRules.filter(
    ({ resources }) => namespaces.length === 0 || clusterScoped.has(resources[0] ?? ''),
  );
  const items = [
    ...[operatorNamespace, ...namespaces].map((name) => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name },
    })),
    ...grant('ClusterRole', everywhere),
    ...grant('Role', namespaceRules, operatorNamespace),
    ...grant('Role', kubePublicRules, 'kube-public'),
    ...namespaces.flatMap((namespace) =>
      grant(
        'Role',
        clusterRules.filter((rule) => !everywhere.includes(rule)),
        namespace,
      ),
    ),
  ];
  await apiserver.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

function grant(kind: 'ClusterRole' | 'Role', rules: PolicyRule[], namespace?: string): object[] {
  const apiGroup = 'rbac.authorization.k8s.io';
  const apiVersion = `${apiGroup}/v1`;
  const metadata = { name: 'registry-operator', ...(namespace && { namespace }) };
  const roleRef = { apiGroup, kind, name: metadata.name };
  const subjects = [{ kind: 'User', name: user, apiGroup }];
  return [
    { apiVersion, kind, metadata, rules },
    { apiVersion, kind: `${kind}Binding`, metadata, roleRef, subjects },
  ];
}

/** Starts an operator, which leads when this returns if no other one does. */
export async function startOperator(
  apiserver: KubeApiserver,
  { access, env = {}, restarts = false }: StartOperatorOptions = {},
): Promise<RunningOperator> {
  const credentials = await impersonated(apiserver);
  const settings = readOperatorSettings([], {
    POD_NAMESPACE: operatorNamespace,
    REGISTRY_IMAGE: 'registry-operator:test',
    METRICS_ADDR: '127.0.0.1:0',
    HEALTH_ADDR: '127.0.0.1:0',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    ...env,
  });
  const log = createLogger({ level: settings.logLevel });
  const stopping = new AbortController();
  let registry = new MetricsRegistry();

  async function runOnce(): Promise<void> {
    registry = new MetricsRegistry();
    const metrics = createRuntimeMetrics(registry);
    const operator = createOperator({
      client: createKubeClient({ credentials, observer: metrics.kube }),
      log,
      registry,
      metrics,
      settings: { ...settings, access: 'direct' },
      ...(access && { access }),
    });
    await operator.run(stopping.signal);
  }

  async function run(): Promise<void> {
    do {
      try {
        await runOnce();
      } catch (error) {
        if (!restarts || !(error instanceof LeadershipLostError)) throw error;
      }
    } while (!stopping.signal.aborted);
  }

  const running = run();
  running.catch(() => {});
  return {
    async metric(name, labels = {}) {
      const { values = [] } = (await registry.getSingleMetric(name)?.get()) ?? {};
      const matching = values.filter((value) =>
        Object.entries(labels).every(([label, wanted]) => (value.labels as Record<string, unknown>)[label] === wanted),
      );
      return matching.reduce((sum, { value }) => sum + value, 0);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** The administrator's word that the requests are the operator's: RBAC sees the operator only. */
async function impersonated(apiserver: KubeApiserver): Promise<Credentials> {
  const admin = await kubeConfigCredentials({ file: apiserver.kubeconfig });
  return {
    namespace: operatorNamespace,
    async access() {
      const access = await admin.access();
      return { ...access, headers: { ...access.headers, 'impersonate-user': user } };
    },
    refresh: () => admin.refresh(),
  };
}
