/** The names that users, other programs and stored objects rely on: none of them may change within a version. */

export const group = 'registry-operator.dev';
export const version = 'v1alpha1';
export const apiVersion = `${group}/${version}`;

export const finalizer = `${group}/cleanup`;

/** On every child: the name of its Registry. */
export const registryLabel = `${group}/registry`;

/** On every child: hash of what was applied last, so that a field which we no longer set is noticed too. */
export const appliedAnnotation = `${group}/applied`;

/** On objects outside of a Registry's namespace, which cannot have an ownerReference to it: `namespace/name/uid`. */
export const ownerAnnotation = `${group}/owner`;

/** On a claim: UID of the Registry that used it last. */
export const registryUidLabel = `${group}/registry-uid`;

export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedBy = 'registry-operator';

/** Label selector of every object that we create for Registries. */
export const childSelector = `${managedByLabel}=${managedBy},app.kubernetes.io/name=registry`;

export const registryPort = 5000;
export const debugPort = 5001;
