import { eventually } from './eventually.ts';
import type { KubeApiserver } from './kube-apiserver.ts';

/** Installs the project's CRDs from crds/ and waits until the API server serves them. */
export async function installCrds(apiserver: KubeApiserver): Promise<void> {
  await apiserver.kubectl(['apply', '--server-side', '-f', 'crds/']);
  await eventually(() => apiserver.kubectl(['get', 'registries,nodemirrors', '-A']), { timeoutMs: 30_000 });
}
