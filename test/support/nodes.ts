/** Registries, Services and reports as the API server would hand them out, for tests of what happens on nodes. */
import type { NodeMirror } from '#operator/api/node-mirror.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import { type Service, serviceType } from '#operator/children/kinds.ts';
import type { KubeObject } from '#shared/kube/kube-client.ts';
import type { MirrorReport } from '#shared/node-mirrors.ts';

export interface RegistryFixture {
  name?: string;
  created?: string;
  hosts?: string[];
  mode?: 'Containerd' | 'Disabled';
  reachability?: 'ClusterIP' | 'NodeIP';
  deleted?: boolean;
}

/** In namespace `default`, with the UID `uid-<name>`. */
export function registryFixture(fixture: RegistryFixture = {}): Registry {
  const { name = 'kind-registry', hosts = ['kind-registry:5000'], mode = 'Containerd' } = fixture;
  const object: KubeObject & { spec: unknown } = {
    apiVersion: registryType.apiVersion,
    kind: registryType.kind,
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      creationTimestamp: fixture.created ?? '2026-11-24T10:00:00Z',
      ...(fixture.deleted ? { deletionTimestamp: '2026-11-24T11:00:00Z' } : {}),
    },
    spec: { hosts, nodes: { mode, reachability: fixture.reachability ?? 'ClusterIP' } },
  };
  return object as Registry;
}

/** The Service of {@link registryFixture}. */
export function serviceFixture(name: string, spec: Service['spec']): Service {
  const { apiVersion, kind } = serviceType;
  return { apiVersion, kind, metadata: { name, namespace: 'default' }, spec };
}

export const servicePort = { name: 'registry', port: 5000, nodePort: 30_500 };

export function reportFixture(node: string, hosts: MirrorReport[], message?: string): NodeMirror {
  return {
    apiVersion: registryType.apiVersion,
    kind: 'NodeMirror',
    metadata: { name: node },
    status: { revision: '0011', hosts, ...(message === undefined ? {} : { message }) },
  };
}
