/** StorageReady and StorageHealthy. */
import { formatBytes, parseQuantity } from '#operator/api/quantity.ts';
import type { Claim } from '#operator/children/kinds.ts';
import { type Facts, no, type StorageClass, type Verdict, yes } from './facts.ts';
import { foreignVerdict } from './refusal.ts';

/** Whether there is a volume. */
export function storageReady(facts: Facts): Verdict {
  const { registry, claim, outcomes, storageClasses } = facts;
  const { existingClaim, emptyDir, persistentVolumeClaim } = registry.spec.storage;
  const { namespace, name } = registry.metadata;
  if (emptyDir) return yes('Ephemeral', 'The images are kept in an emptyDir and go with the Pod.');
  if (outcomes.claim?.state === 'foreign') return foreignVerdict('PersistentVolumeClaim', registry);
  if (!claim) {
    if (existingClaim === undefined) return refusedClaim(facts, 'ClaimRefused');
    return no(
      'ClaimNotFound',
      `There is no PersistentVolumeClaim ${existingClaim} in namespace ${namespace}: create it, or name another one in a new Registry.`,
    );
  }
  if (claim.metadata.deletionTimestamp !== undefined) {
    return no(
      'ClaimDeleted',
      `The PersistentVolumeClaim ${claim.metadata.name} is being deleted: its images go as soon as the Pod stops. Copy what you need first.`,
    );
  }
  if (claim.status?.phase === 'Lost') {
    return no(
      'ClaimLost',
      `The PersistentVolume of claim ${claim.metadata.name} is gone: restore it, or delete the claim.`,
    );
  }
  if (claim.status?.phase !== 'Bound') return pending(claim, storageClasses);
  const missing = persistentVolumeClaim?.accessModes.filter((mode) => !claim.spec.accessModes?.includes(mode)) ?? [];
  if (missing.length > 0) {
    return no(
      'AccessModeConflict',
      `The claim ${name} was there before and is not ${missing.join(', ')}: use the modes that it has, or delete it with all of its images.`,
    );
  }
  if (outcomes.claim?.state === 'refused') return refusedClaim(facts, 'ClaimChangeRefused');
  return yes('Bound', boundMessage(claim));
}

function boundMessage({ metadata, spec, status }: Claim): string {
  const wanted = spec.resources?.requests?.['storage'] ?? '';
  const capacity = status?.capacity?.['storage'] ?? '';
  if (parseQuantity(wanted) > parseQuantity(capacity)) {
    return `The volume of claim ${metadata.name} is being expanded from ${capacity} to ${wanted}.`;
  }
  return `Claim ${metadata.name} has a volume of ${capacity}.`;
}

function refusedClaim({ outcomes }: Facts, reason: string): Verdict {
  const said = outcomes.claim?.state === 'refused' ? outcomes.claim.error.status.message : undefined;
  return no(reason, `The API server does not take the claim: ${said ?? 'no reason given'}. Change spec.storage.`);
}

function pending({ metadata, spec }: Claim, classes: StorageClass[] | undefined): Verdict {
  const { storageClassName } = spec;
  const next = `kubectl describe pvc -n ${metadata.namespace} ${metadata.name}`;
  if (classes === undefined || storageClassName === '') {
    return no('WaitingForVolume', `The claim ${metadata.name} has no volume yet: ${next}`);
  }
  if (storageClassName === undefined) {
    if (classes.some(isDefault))
      return no('WaitingForVolume', `The claim ${metadata.name} gets the default StorageClass.`);
    return no(
      'NoDefaultStorageClass',
      `The cluster has no default StorageClass: set spec.storage.persistentVolumeClaim.storageClassName (${namesOf(classes)}), or make one of them the default.`,
    );
  }
  const found = classes.find((candidate) => candidate.metadata.name === storageClassName);
  if (!found) {
    return no(
      'StorageClassNotFound',
      `There is no StorageClass ${storageClassName} (${namesOf(classes)}): create it, or delete the Registry and the claim ${metadata.name} and name another one.`,
    );
  }
  if (found.volumeBindingMode === 'WaitForFirstConsumer') {
    return no('WaitingForFirstConsumer', `The volume is made when the Pod has a node. If that takes long: ${next}`);
  }
  return no('WaitingForVolume', `${found.provisioner} has not made the volume yet. If that takes long: ${next}`);
}

function isDefault({ metadata }: StorageClass): boolean {
  return metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
}

function namesOf(classes: StorageClass[]): string {
  const names = classes.map(({ metadata }) => metadata.name);
  return names.length === 0 ? 'there is none' : `there is ${names.join(', ')}`;
}

/** Whether there is room on it. */
export function storageHealthy({ registry, usage }: Facts): Verdict {
  const volume = usage.usage?.volume;
  if (!volume || volume.capacity === 0) {
    return { status: 'Unknown', reason: 'WaitingForRegistry', message: 'The registry has not told of its volume yet.' };
  }
  const { minFree, persistentVolumeClaim } = registry.spec.storage;
  const percent = (volume.free / volume.capacity) * 100;
  const rest = `${formatBytes(volume.free, 2)} of ${formatBytes(volume.capacity)} (${Math.floor(percent)} %) are free`;
  if (percent >= minFree && volume.free > 0) return yes('Healthy', `${rest}.`);
  const grow = persistentVolumeClaim ? ', or raise spec.storage.persistentVolumeClaim.size' : '';
  const state =
    volume.free === 0 ? 'The volume is full and pushes fail' : `Less than ${minFree} % of the volume are left`;
  return no(
    volume.free === 0 ? 'VolumeFull' : 'LowSpace',
    `${state}: ${rest}. Delete images and run registry garbage-collect${grow}.`,
  );
}
