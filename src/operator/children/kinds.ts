/** The kinds of which a Registry has one each. Shapes: client-node's, whose metadata differ from raw JSON and are ours. */
import type {
  V1DeploymentSpec,
  V1DeploymentStatus,
  V1NetworkPolicySpec,
  V1PersistentVolumeClaimSpec,
  V1PersistentVolumeClaimStatus,
  V1PodDisruptionBudgetSpec,
  V1ServiceSpec,
} from '@kubernetes/client-node';
import type { KubeObject, ResourceType } from '#shared/kube/kube-client.ts';

export interface ServiceAccount extends KubeObject {
  automountServiceAccountToken?: boolean;
}

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

export interface Claim extends KubeObject {
  spec: V1PersistentVolumeClaimSpec;
  status?: V1PersistentVolumeClaimStatus;
}

/** Raw JSON: times are text, unlike in client-node's classes. */
export interface Deployment extends KubeObject {
  spec: V1DeploymentSpec;
  status?: Omit<V1DeploymentStatus, 'conditions'> & {
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
  };
}

export interface Service extends KubeObject {
  spec: V1ServiceSpec;
}

export interface PodDisruptionBudget extends KubeObject {
  spec: V1PodDisruptionBudgetSpec;
}

export interface NetworkPolicy extends KubeObject {
  spec: V1NetworkPolicySpec;
}

const namespaced = (apiVersion: string, kind: string, plural: string): ResourceType => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
});

export const serviceAccountType = namespaced('v1', 'ServiceAccount', 'serviceaccounts');
export const configMapType = namespaced('v1', 'ConfigMap', 'configmaps');
export const claimType = namespaced('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims');
export const deploymentType = namespaced('apps/v1', 'Deployment', 'deployments');
export const serviceType = namespaced('v1', 'Service', 'services');
export const podDisruptionBudgetType = namespaced('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets');
export const networkPolicyType = namespaced('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies');

export const childTypes: readonly ResourceType[] = [
  serviceAccountType,
  claimType,
  configMapType,
  serviceType,
  deploymentType,
  podDisruptionBudgetType,
  networkPolicyType,
];
