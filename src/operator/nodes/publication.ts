/** The ConfigMap by which the operator tells the nodes what they are to know. */
import { managedBy, managedByLabel } from '#operator/api/names.ts';
import { type ConfigMap, configMapType } from '#operator/children/kinds.ts';
import { isFailure } from '#shared/kube/failure.ts';
import type { KubeClient, ObjectName } from '#shared/kube/kube-client.ts';
import { mirrorsKey, type NodeMirrors, parseMirrors } from '#shared/node-mirrors.ts';

/** What is published; `undefined` when nothing is, or nothing that can be read. */
export function readPublication(configMap: ConfigMap | undefined): NodeMirrors | undefined {
  const text = configMap?.data?.[mirrorsKey];
  if (text === undefined) return undefined;
  try {
    return parseMirrors(text);
  } catch {
    return undefined;
  }
}

/** Writes `mirrors.json`. A ConfigMap that somebody made immutable is replaced by a new one. */
export async function publish(client: KubeClient, name: ObjectName, text: string, signal: AbortSignal): Promise<void> {
  const configMap: ConfigMap = {
    apiVersion: configMapType.apiVersion,
    kind: configMapType.kind,
    metadata: { ...name, labels: { [managedByLabel]: managedBy, 'app.kubernetes.io/name': 'mirrors' } },
    data: { [mirrorsKey]: text },
  };
  try {
    await client.apply(configMapType, configMap, { signal });
  } catch (error) {
    if (!isFailure(error, 422)) throw error;
    await client.remove(configMapType, name, { signal });
    await client.apply(configMapType, configMap, { signal });
  }
}
