import type { Finding } from '#operator/api/conditions.ts';
import type { Registry } from '#operator/api/registry.ts';
import type { Claim, Deployment, Service } from '#operator/children/kinds.ts';
import type { NodesSummary } from '#operator/nodes/summarize-nodes.ts';
import type { KubeObject } from '#shared/kube/kube-client.ts';
import type { Outcomes } from './children.ts';
import type { Pod } from './pod.ts';
import type { UsageState } from './usage-watcher.ts';

/** Everything that the status of a Registry is made of. */
export interface Facts {
  now: Date;
  registry: Registry;
  /** Reference of the image that its Pods should run. */
  image: string;
  outcomes: Outcomes;
  /** The claim in use, created or existing. */
  claim: Claim | undefined;
  /** Asked for only while a claim waits for its volume; `undefined` when that was not allowed. */
  storageClasses: StorageClass[] | undefined;
  deployment: Deployment | undefined;
  service: Service | undefined;
  /** Whoever has the node port that was refused, `namespace/name`. */
  nodePortOwner: string | undefined;
  pods: Pod[];
  usage: UsageState;
  nodes: NodesSummary;
  /** LocalRegistryHosting, for a Registry that asks for it. */
  hosting: Finding | undefined;
}

export interface StorageClass extends KubeObject {
  provisioner: string;
  volumeBindingMode?: 'Immediate' | 'WaitForFirstConsumer';
}

/** A finding whose type is said elsewhere. */
export type Verdict = Omit<Finding, 'type'>;

export const yes = (reason: string, message: string): Verdict => ({ status: 'True', reason, message });

export const no = (reason: string, message: string): Verdict => ({ status: 'False', reason, message });

/** By convention, reasons that begin so pass by themselves; every other reason of a False condition needs a person. */
export const waitingPrefix = 'WaitingFor';

/** Of something that a Registry of 0 replicas does not have, as it was told. */
export const stoppedReason = 'ScaledToZero';
