/** `spec.storage`: where the data lies, and what becomes of it. */
import { choice, defaulted, integer, list, object, quantityPattern, string, withRules } from './schema.ts';

const byteSize = (description: string) =>
  string(description, { minLength: 1, maxLength: 32, pattern: quantityPattern });

const claimTemplate = withRules(
  object('A PersistentVolumeClaim that the operator creates, named as the Registry.', {
    size: defaulted(
      withRules(byteSize('Size of the volume, such as 10Gi. It may grow if the StorageClass allows expansion.'), {
        rule: 'quantity(self).compareTo(quantity(oldSelf)) >= 0',
        message: 'a volume may only grow: set size to what it was, or more',
      }),
      '10Gi',
    ),
    storageClassName: string("StorageClass; the cluster's default one when left out.", {
      minLength: 1,
      maxLength: 253,
    }),
    accessModes: defaulted(
      list(
        'ReadWriteOnce (one replica, replaced by stopping it first), ReadWriteOncePod, or ReadWriteMany (several replicas).',
        choice('An access mode.', 'ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany'),
        { minItems: 1, maxItems: 3, 'x-kubernetes-list-type': 'set' },
      ),
      ['ReadWriteOnce'],
    ),
  }),
  {
    rule: '!has(oldSelf.storageClassName) || (has(self.storageClassName) && self.storageClassName == oldSelf.storageClassName)',
    message: 'the class of a volume cannot change: create another Registry with the new class and copy the images',
    fieldPath: '.storageClassName',
  },
  {
    rule: 'self.accessModes.all(mode, mode in oldSelf.accessModes) && oldSelf.accessModes.all(mode, mode in self.accessModes)',
    message:
      'the access modes of a volume cannot change: create another Registry with the new ones and copy the images',
    fieldPath: '.accessModes',
  },
);

const emptyDir = object('A volume that lives and dies with the Pod: for trying things out.', {
  sizeLimit: byteSize('The Pod is evicted when it uses more. No limit when left out.'),
});

const existingClaim = withRules(
  string(
    'Name of a PersistentVolumeClaim in the same namespace, which the operator never changes or deletes. ' +
      'A volume of registry:2 or registry:3 can be used as it is.',
    { minLength: 1, maxLength: 253 },
  ),
  {
    rule: 'self == oldSelf',
    message: 'existingClaim cannot change: create another Registry for the other claim',
  },
);

const kinds = ['persistentVolumeClaim', 'existingClaim', 'emptyDir'];

export const storageFields = withRules(
  object('Where the data lies: exactly one of persistentVolumeClaim, existingClaim and emptyDir.', {
    persistentVolumeClaim: claimTemplate,
    existingClaim,
    emptyDir,
    deletionPolicy: defaulted(
      choice(
        'What becomes of the created claim when the Registry is deleted. Retain keeps it, and a later Registry of the same ' +
          'name uses it again. Delete deletes it with all the images.',
        'Retain',
        'Delete',
      ),
      'Retain',
    ),
    minFree: defaulted(
      integer('Percentage of the volume below which condition StorageHealthy becomes False.', {
        minimum: 0,
        maximum: 99,
      }),
      5,
    ),
  }),
  {
    rule: `[${kinds.map((kind) => `has(self.${kind})`).join(', ')}].filter(x, x).size() == 1`,
    message: 'storage needs exactly one of persistentVolumeClaim, existingClaim and emptyDir',
  },
  {
    rule: kinds.map((kind) => `has(self.${kind}) == has(oldSelf.${kind})`).join(' && '),
    message: 'the kind of storage cannot change: create another Registry with the new storage and copy the images',
  },
  {
    rule: "!has(self.emptyDir) || self.deletionPolicy == 'Delete'",
    message: 'an emptyDir cannot be retained: set deletionPolicy to Delete',
    fieldPath: '.deletionPolicy',
  },
  {
    rule: "!has(self.existingClaim) || self.deletionPolicy == 'Retain'",
    message: 'an existing claim is never deleted by the operator: leave deletionPolicy out',
    fieldPath: '.deletionPolicy',
  },
);
