/** kind, kubectl and helm: the machine's own, or else built once from their Go modules. */
import { join } from 'node:path';
import { run } from './command.ts';
import { findProgram } from './machine.ts';
import { clusterPrograms, root } from './paths.ts';
import { Unmet, type Report } from './progress.ts';

export type ClusterProgram = 'kind' | 'kubectl' | 'helm';

const home: Record<ClusterProgram, string> = {
  kind: 'kind.sigs.k8s.io',
  kubectl: 'kubernetes.io/docs/tasks/tools',
  helm: 'helm.sh/docs/intro/install',
};

/** The path of a program; rejects with an {@link Unmet} where it is missing and there is no Go to build it. */
export async function needProgram(name: ClusterProgram, report: Report): Promise<string> {
  const found = await findProgram(name, [clusterPrograms]);
  if (found) return found;
  await needGo(`${name} is missing: install it (${home[name]})`);
  report(`building ${name} from its Go module`);
  await run(join(root, 'test', 'cluster', 'build-programs'), [name], { onLine: report });
  return join(clusterPrograms, name);
}

/** Go at or above the version that the modules of test/cluster ask for (an older one fetches it by itself). */
export async function needGo(otherwise: string): Promise<void> {
  if (await findProgram('go')) return;
  throw new Unmet(`${otherwise}, or install Go 1.26 or later (go.dev/dl) to build it from source.`);
}

/** The folder of etcd, kube-apiserver, kubeadm and kubectl as KUBEBUILDER_ASSETS has them; built in some minutes, once. */
export async function kubernetesPrograms(): Promise<string> {
  await needGo('etcd and kube-apiserver are missing: set KUBEBUILDER_ASSETS to a folder that has them');
  await run(join(root, 'test', 'cluster', 'build-programs'), ['kubernetes']);
  return clusterPrograms;
}
