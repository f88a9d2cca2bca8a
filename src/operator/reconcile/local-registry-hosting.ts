/**
 * The ConfigMap by which tools on developers' machines find the registry (KEP-1755). There is one per cluster, and others
 * write it too: what is not ours is left alone.
 */
import { dump } from 'js-yaml';
import type { Finding } from '#operator/api/conditions.ts';
import { managedBy, managedByLabel, ownerAnnotation, registryLabel } from '#operator/api/names.ts';
import type { Registry } from '#operator/api/registry.ts';
import { type ConfigMap, configMapType } from '#operator/children/kinds.ts';
import type { KubeClient, KubeObject } from '#shared/kube/kube-client.ts';
import type { Applier } from './applier.ts';
import type { Caches } from './caches.ts';
import { no, type Verdict, yes } from './facts.ts';

const place = { namespace: 'kube-public', name: 'local-registry-hosting' };

interface HostingOptions {
  client: KubeClient;
  caches: Caches;
  applier: Applier;
}

/** Writes or takes away the ConfigMap as the Registry wants it; what came of it, if it wants one. */
export async function syncHosting(
  options: HostingOptions,
  registry: Registry,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  if (!registry.spec.localRegistryHosting) {
    await removeHosting(options, registry, signal);
    return undefined;
  }
  const isFree = (live: KubeObject): boolean => !ownerOf(options.caches, live, registry);
  const outcome = await options.applier.apply(configMapType, hostingConfigMap(registry), signal, isFree);
  const verdict = ((): Verdict => {
    if (outcome.state === 'refused') return no('Refused', outcome.error.message);
    if (outcome.state !== 'foreign') return yes('Published', 'Tilt, Skaffold and other tools find the registry.');
    const owner = ownerOf(options.caches, outcome.live, registry);
    return no(
      'Conflict',
      `ConfigMap ${place.namespace}/${place.name} belongs to ${owner}: remove it there, or leave spec.localRegistryHosting out.`,
    );
  })();
  return { type: 'LocalRegistryHosting', ...verdict };
}

/** Takes the ConfigMap away if it is this Registry's. */
export async function removeHosting(
  { client, caches }: HostingOptions,
  registry: Registry,
  signal: AbortSignal,
): Promise<void> {
  const cached = caches.children.configmaps.get(place);
  // Never written by us, as far as status tells: no need to ask.
  const mayBeOurs = registry.status?.conditions?.some(({ type }) => type === 'LocalRegistryHosting');
  const live = cached ?? (mayBeOurs ? await client.get<ConfigMap>(configMapType, place, { signal }) : undefined);
  if (!live?.metadata.uid || live.metadata.annotations?.[ownerAnnotation] !== ownerText(registry)) return;
  await client.remove(configMapType, place, { uid: live.metadata.uid, signal });
}

function ownerText({ metadata }: Registry): string {
  return `${metadata.namespace}/${metadata.name}/${metadata.uid}`;
}

/** Who else has the ConfigMap, in words; `undefined` when this Registry has it, or one that is gone. */
function ownerOf({ registries }: Caches, { metadata }: KubeObject, registry: Registry): string | undefined {
  const owner = metadata.annotations?.[ownerAnnotation];
  if (owner === undefined) return 'somebody else';
  if (owner === ownerText(registry)) return undefined;
  const [namespace = '', name = '', uid] = owner.split('/');
  const other = registries.get({ namespace, name });
  const isThere = other?.metadata.uid === uid && other?.spec.localRegistryHosting !== undefined;
  return isThere ? `the Registry ${namespace}/${name}` : undefined;
}

/** `host` is the name on developers' machines; if nodes do not know the registry by it, they are told the name to use. */
function hostingConfigMap(registry: Registry): ConfigMap {
  const { metadata, spec } = registry;
  const { host = '', help } = spec.localRegistryHosting ?? {};
  const hosts = spec.nodes.mode === 'Containerd' ? (spec.hosts ?? []) : [];
  const onNodes = hosts.includes(host) ? undefined : hosts[0];
  const content = {
    host,
    ...(onNodes !== undefined && { hostFromContainerRuntime: onNodes }),
    hostFromClusterNetwork: `${metadata.name}.${metadata.namespace}.svc:${spec.service.port}`,
    ...(help !== undefined && { help }),
  };
  return {
    apiVersion: configMapType.apiVersion,
    kind: configMapType.kind,
    metadata: {
      ...place,
      labels: {
        [managedByLabel]: managedBy,
        'app.kubernetes.io/name': 'registry',
        [registryLabel]: metadata.name,
      },
      annotations: { [ownerAnnotation]: ownerText(registry) },
    },
    data: { 'localRegistryHosting.v1': dump(content) },
  };
}
