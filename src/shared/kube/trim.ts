import type { KubeObject } from './kube-client.ts';

/** The object without the book-keeping of server-side apply, which is often larger than the rest and read by nobody here. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata && 'managedFields' in object.metadata) delete object.metadata.managedFields;
  return object;
}
