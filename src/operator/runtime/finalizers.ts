import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';

export function hasFinalizer({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) ?? false;
}

/**
 * Adds our finalizer beside those of others, whom an apply could overwrite. Rejects with 409 when the object changed since
 * it was read: the next reconcile sees how. The object as it is then.
 */
export async function addFinalizer<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  object: T,
  finalizer: string,
): Promise<T> {
  if (hasFinalizer(object, finalizer)) return object;
  return write(client, type, object, [...(object.metadata.finalizers ?? []), finalizer]);
}

/** Takes our finalizer away, so that the object may go; rejects as {@link addFinalizer} does. */
export async function removeFinalizer<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  object: T,
  finalizer: string,
): Promise<T> {
  if (!hasFinalizer(object, finalizer)) return object;
  return write(
    client,
    type,
    object,
    (object.metadata.finalizers ?? []).filter((other) => other !== finalizer),
  );
}

function write<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType,
  { metadata }: T,
  finalizers: string[],
): Promise<T> {
  const name = { namespace: metadata.namespace ?? '', name: metadata.name };
  // With the resourceVersion the server refuses a patch of what it no longer is.
  return client.patch<T>(type, name, { metadata: { resourceVersion: metadata.resourceVersion, finalizers } });
}
