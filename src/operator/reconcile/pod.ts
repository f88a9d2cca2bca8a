import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';

/** As much of a Pod as tells why it does not serve. */
export interface Pod extends KubeObject {
  spec?: { nodeName?: string };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
    containerStatuses?: ContainerStatus[];
  };
}

export interface ContainerStatus {
  name: string;
  image: string;
  ready: boolean;
  restartCount: number;
  state?: {
    waiting?: { reason?: string; message?: string };
    running?: { startedAt?: string };
    terminated?: Terminated;
  };
  lastState?: { terminated?: Terminated };
}

interface Terminated {
  exitCode: number;
  reason?: string;
  message?: string;
}

export const podType: ResourceType = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };

export interface PodProblem {
  /** CamelCase. */
  reason: string;
  message: string;
}

const pullFailures = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull']);

/** A registry that runs is ready in a second, as long as its storage answers. */
const readyWithinMs = 30_000;

/** What a person has to do something about, of the first Pod that has such a thing; `undefined` while all may yet be well. */
export function findPodProblem(pods: Pod[], now: Date): PodProblem | undefined {
  for (const pod of pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)) {
    const problem = unschedulable(pod) ?? evicted(pod) ?? containerProblem(pod) ?? notReady(pod, now);
    if (problem) return problem;
  }
  return undefined;
}

function unschedulable({ status }: Pod): PodProblem | undefined {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  return {
    reason: 'Unschedulable',
    message: `No node takes the Pod: ${sentence(scheduled.message)} Look at spec.pod (resources, nodeSelector, tolerations, affinity).`,
  };
}

function evicted({ metadata, status }: Pod): PodProblem | undefined {
  if (status?.phase !== 'Failed' || !status.reason) return undefined;
  return { reason: status.reason, message: `Pod ${metadata.name} failed: ${sentence(status.message)}` };
}

function containerProblem(pod: Pod): PodProblem | undefined {
  for (const container of pod.status?.containerStatuses ?? []) {
    const waiting = container.state?.waiting;
    if (waiting?.reason && pullFailures.has(waiting.reason)) return pullFailed(pod, container, waiting.message);
    if (waiting?.reason === 'CreateContainerConfigError' || waiting?.reason === 'CreateContainerError') {
      return { reason: waiting.reason, message: `Pod ${pod.metadata.name}: ${sentence(waiting.message)}` };
    }
    const ended = container.state?.terminated ?? container.lastState?.terminated;
    if (ended && !container.ready && container.restartCount > 0) return crashed(pod, ended, container.restartCount);
  }
  return undefined;
}

function notReady({ metadata, status }: Pod, now: Date): PodProblem | undefined {
  const late = status?.containerStatuses?.some(({ ready, state }) => {
    const since = Date.parse(state?.running?.startedAt ?? '');
    return !ready && now.getTime() - since > readyWithinMs;
  });
  if (!late) return undefined;
  return {
    reason: 'NotReady',
    message: `The registry runs, but says that it is not ready, as when its storage does not answer. Read kubectl logs -n ${metadata.namespace} ${metadata.name}`,
  };
}

function pullFailed(pod: Pod, { image }: ContainerStatus, message: string | undefined): PodProblem {
  const where = pod.spec?.nodeName ?? 'A node';
  return {
    reason: 'ImagePullFailed',
    message: `${where} cannot pull the image ${image}: ${sentence(message)} Check spec.image and spec.imagePullSecrets.`,
  };
}

function crashed({ metadata }: Pod, ended: Terminated, restarts: number): PodProblem {
  if (ended.reason === 'OOMKilled') {
    return {
      reason: 'OutOfMemory',
      message: `The registry used more memory than it may, ${restarts} times: raise spec.pod.resources.limits.memory.`,
    };
  }
  const words = ended.message ? ` ${sentence(ended.message.trim())}` : '';
  return {
    reason: 'CrashLooping',
    message: `The registry ended with code ${ended.exitCode}, ${restarts} times.${words} Read kubectl logs -n ${metadata.namespace} ${metadata.name} --previous`,
  };
}

function sentence(text: string | undefined): string {
  const trimmed = (text ?? 'no reason given').trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
