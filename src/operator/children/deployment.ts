import type { V1Container, V1DeploymentStrategy, V1PodSpec, V1Probe, V1Volume } from '@kubernetes/client-node';
import { debugPort, group, registryPort } from '#operator/api/names.ts';
import type { Registry } from '#operator/api/registry.ts';
import { claimName } from './claim.ts';
import { configChecksum, configKey, dataFolder } from './config-map.ts';
import { type ConfigMap, type Deployment, deploymentType } from './kinds.ts';
import { childLabels, ownedHead, selectorLabels } from './metadata.ts';

const configFolder = '/etc/distribution';

/** As in the image; a number, since `runAsNonRoot` can't be checked for a name. */
const user = 65_532;

/** More than the registry's own draintimeout. */
const graceSeconds = 30;

export const containerName = 'registry';

/** The Pods, which pass the restricted PodSecurity profile. */
export function deployment(registry: Registry, image: string, configMap: ConfigMap): Deployment {
  const { pod, replicas } = registry.spec;
  const checksum = { [`${group}/config-checksum`]: configChecksum(configMap) };
  return {
    ...ownedHead(deploymentType, registry),
    spec: {
      replicas,
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 120,
      strategy: strategy(registry),
      selector: { matchLabels: selectorLabels(registry) },
      template: {
        metadata: {
          labels: { ...pod.labels, ...childLabels(registry) },
          annotations: { ...pod.annotations, ...checksum },
        },
        spec: podSpec(registry, image),
      },
    },
  };
}

/** A volume for one Pod has to be let go by the old Pod before the new one starts, else a rollout hangs forever. */
function strategy(registry: Registry): V1DeploymentStrategy {
  const shared = registry.spec.storage.persistentVolumeClaim?.accessModes.includes('ReadWriteMany') ?? false;
  return shared ? { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } : { type: 'Recreate' };
}

function podSpec(registry: Registry, image: string): V1PodSpec {
  const { pod, imagePullSecrets } = registry.spec;
  return {
    serviceAccountName: registry.metadata.name,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: graceSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      fsGroup: user,
      // Without it, every start changes the owner of every blob: minutes on a large volume.
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [container(registry, image)],
    volumes: [
      { name: 'config', configMap: { name: registry.metadata.name, items: [{ key: configKey, path: configKey }] } },
      dataVolume(registry),
    ],
    ...(imagePullSecrets && { imagePullSecrets }),
    ...(pod.nodeSelector && { nodeSelector: pod.nodeSelector }),
    ...(pod.tolerations && { tolerations: pod.tolerations }),
    ...(pod.affinity && { affinity: pod.affinity }),
    ...(pod.priorityClassName && { priorityClassName: pod.priorityClassName }),
  };
}

function container(registry: Registry, image: string): V1Container {
  return {
    name: containerName,
    image,
    imagePullPolicy: registry.spec.image.pullPolicy,
    args: ['registry', 'serve', `${configFolder}/${configKey}`],
    ports: [
      { name: 'registry', containerPort: registryPort, protocol: 'TCP' },
      { name: 'debug', containerPort: debugPort, protocol: 'TCP' },
    ],
    // A large index may take a while to be read; the registry serves meanwhile, and /livez answers from the first moment.
    startupProbe: probe('/livez', { periodSeconds: 1, failureThreshold: 120 }),
    livenessProbe: probe('/livez', { periodSeconds: 10, failureThreshold: 3 }),
    readinessProbe: probe('/readyz', { periodSeconds: 2, failureThreshold: 2 }),
    resources: resources(registry),
    volumeMounts: [
      { name: 'config', mountPath: configFolder, readOnly: true },
      { name: 'data', mountPath: dataFolder },
    ],
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

function probe(path: string, timing: { periodSeconds: number; failureThreshold: number }): V1Probe {
  return { httpGet: { path, port: 'debug', scheme: 'HTTP' }, timeoutSeconds: 5, ...timing };
}

function resources(registry: Registry): NonNullable<V1Container['resources']> {
  const { requests, limits } = registry.spec.pod.resources;
  const text = (amounts: Record<string, string | number>) =>
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)]));
  return { ...(requests && { requests: text(requests) }), ...(limits && { limits: text(limits) }) };
}

function dataVolume(registry: Registry): V1Volume {
  const claim = claimName(registry);
  if (claim !== undefined) return { name: 'data', persistentVolumeClaim: { claimName: claim } };
  const { sizeLimit } = registry.spec.storage.emptyDir ?? {};
  return { name: 'data', emptyDir: sizeLimit === undefined ? {} : { sizeLimit } };
}
