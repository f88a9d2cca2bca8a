/** Which host names lead to which Registry, and at which addresses nodes reach it: pure, from all Registries at once. */
import { isIPv6 } from 'node:net';
import type { Registry } from '#operator/api/registry.ts';
import type { Service } from '#operator/children/kinds.ts';
import type { ObjectName } from '#shared/kube/kube-client.ts';
import type { Mirror, MirrorOwner, NodeMirrors } from '#shared/node-mirrors.ts';

export interface MirrorPlan {
  mirrors: NodeMirrors;
  conflicts: HostConflict[];
}

/** A host that two Registries claim. */
export interface HostConflict {
  host: string;
  /** The older one, which has it. */
  winner: MirrorOwner;
  loser: MirrorOwner;
}

/**
 * What the nodes are to know. The older Registry has a host that several claim. A Registry whose Service has no address at
 * the moment keeps what `previous` says, so that nodes are not changed twice for a Service that is made again; one that is
 * being deleted has nothing.
 */
export function planMirrors(
  registries: Registry[],
  getService: (name: ObjectName) => Service | undefined,
  previous?: NodeMirrors,
): MirrorPlan {
  const owners = new Map<string, MirrorOwner>();
  const mirrors: Mirror[] = [];
  const conflicts: HostConflict[] = [];
  for (const registry of registries.filter(wantsNodes).toSorted(byAge)) {
    const owner = ownerOf(registry);
    const endpoints = nodeEndpoints(registry, getService({ namespace: owner.namespace, name: owner.name }));
    for (const host of registry.spec.hosts ?? []) {
      const winner = owners.get(host);
      if (winner) {
        conflicts.push({ host, winner, loser: owner });
        continue;
      }
      owners.set(host, owner);
      const known = endpoints.length > 0 ? endpoints : endpointsBefore(previous, host, owner.uid);
      if (known.length > 0) mirrors.push({ host, registry: owner, endpoints: known });
    }
  }
  return { mirrors: { version: 1, mirrors }, conflicts };
}

/** Whether nodes have anything to do with this Registry, now and as it is. */
export function wantsNodes({ metadata, spec }: Registry): boolean {
  return metadata.deletionTimestamp === undefined && spec.nodes.mode === 'Containerd' && (spec.hosts ?? []).length > 0;
}

/**
 * URLs at which nodes reach the registry, by preference, `{nodeIP}` being each node's own address; none while the Service has
 * no address.
 */
export function nodeEndpoints(registry: Registry, service: Service | undefined): string[] {
  const port = service?.spec.ports?.find(({ name }) => name === 'registry');
  if (!service || !port) return [];
  if (registry.spec.nodes.reachability === 'NodeIP') {
    return port.nodePort === undefined ? [] : [`http://{nodeIP}:${port.nodePort}`];
  }
  const { clusterIP, clusterIPs = clusterIP === undefined ? [] : [clusterIP] } = service.spec;
  return clusterIPs
    .filter((address) => address !== '' && address !== 'None')
    .map((address) => `http://${isIPv6(address) ? `[${address}]` : address}:${port.port}`);
}

function ownerOf({ metadata }: Registry): MirrorOwner {
  return { namespace: metadata.namespace ?? '', name: metadata.name, uid: metadata.uid ?? '' };
}

function byAge(a: Registry, b: Registry): number {
  const keys = [a, b].map(({ metadata }) => [metadata.creationTimestamp, metadata.namespace, metadata.name].join(' '));
  return (keys[0] ?? '') < (keys[1] ?? '') ? -1 : 1;
}

function endpointsBefore(previous: NodeMirrors | undefined, host: string, uid: string): string[] {
  const mirror = previous?.mirrors.find((candidate) => candidate.host === host && candidate.registry.uid === uid);
  return mirror?.endpoints ?? [];
}
