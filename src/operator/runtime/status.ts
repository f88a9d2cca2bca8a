import { isDeepStrictEqual } from 'node:util';
import type { CallOptions, KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';

/** Equal for the API server: the order of keys and fields that are undefined do not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}

/** Writes the status when it is another than `object` has, and tells whether it was. */
export async function writeStatus<S>(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject & { status?: S },
  status: S,
  options: CallOptions = {},
): Promise<boolean> {
  if (sameJson(object.status, status)) return false;
  const { apiVersion, kind } = type;
  const { name, namespace, uid } = object.metadata;
  // With the uid the server refuses to make the object anew in case it has just gone.
  const metadata = { name, ...(namespace !== undefined && { namespace }), ...(uid !== undefined && { uid }) };
  const wanted: KubeObject & { status: S } = { apiVersion, kind, metadata, status };
  await client.apply(type, wanted, { ...options, subresource: 'status' });
  return true;
}
