import type { Credentials } from './credentials.ts';
import { inClusterCredentials, isInCluster } from './in-cluster.ts';
import { kubeConfigCredentials } from './kube-config.ts';

/** The ServiceAccount when we run in a Pod, otherwise the context that kubectl would use. */
export function defaultCredentials(env: NodeJS.ProcessEnv): Promise<Credentials> {
  return isInCluster(env) ? inClusterCredentials({ env }) : kubeConfigCredentials();
}
