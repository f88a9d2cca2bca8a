import type { Deployment } from '#operator/children/kinds.ts';
import { type Facts, no, stoppedReason, type Verdict, yes } from './facts.ts';
import { findPodProblem } from './pod.ts';
import { childVerdict } from './refusal.ts';

/** Available: whether a Pod answers. */
export function available(facts: Facts): Verdict {
  const { registry, deployment, pods, now } = facts;
  const { replicas } = registry.spec;
  const ready = deployment?.status?.readyReplicas ?? 0;
  if (replicas === 0) {
    return no(stoppedReason, 'spec.replicas is 0: the registry is stopped, its images are kept.');
  }
  if (ready > 0) return yes('PodsReady', `${ready} of ${replicas} Pods answer.`);
  const refused = childProblem(facts) ?? podsRefused(deployment);
  if (refused) return refused;
  const problem = findPodProblem(pods, now);
  if (problem) return no(problem.reason, problem.message);
  if (deployment && hasStalled(deployment)) {
    return no(
      'NotStarting',
      `No Pod answers since two minutes: kubectl describe pod -n ${registry.metadata.namespace} -l registry-operator.dev/registry=${registry.metadata.name}`,
    );
  }
  return no('WaitingForPods', 'The Pod is starting.');
}

/** The Deployment, or something without which there is none, was not taken by the API server. */
export function childProblem({ registry, outcomes }: Facts): Verdict | undefined {
  return (
    childVerdict('ServiceAccount', outcomes.serviceAccount, registry) ??
    childVerdict('ConfigMap', outcomes.configMap, registry) ??
    childVerdict('Deployment', outcomes.deployment, registry) ??
    childVerdict('NetworkPolicy', outcomes.networkPolicy, registry) ??
    childVerdict('PodDisruptionBudget', outcomes.podDisruptionBudget, registry)
  );
}

/** A quota, a policy or a webhook is against the Pods. */
function podsRefused(deployment: Deployment | undefined): Verdict | undefined {
  const failure = deployment?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  if (failure?.status !== 'True') return undefined;
  return no('PodsRefused', `The API server does not take the Pod: ${failure.message ?? 'no reason given'}`);
}

function hasStalled(deployment: Deployment): boolean {
  const progress = deployment.status?.conditions?.find(({ type }) => type === 'Progressing');
  return progress?.status === 'False' && progress.reason === 'ProgressDeadlineExceeded';
}

/** Whether what runs is what is wanted, everywhere. */
export function isRolledOut(deployment: Deployment | undefined): boolean {
  if (!deployment) return false;
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = deployment.status ?? {};
  const wanted = deployment.spec.replicas ?? 1;
  if (observedGeneration < (deployment.metadata.generation ?? 0)) return false;
  return replicas === wanted && updatedReplicas === wanted && readyReplicas === wanted;
}
