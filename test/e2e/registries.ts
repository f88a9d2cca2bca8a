/** What the end-to-end tests say of Registries: made, looked at, waited for, removed. */
import assert from 'node:assert/strict';
import type { Condition, ConditionType } from '#operator/api/conditions.ts';
import type { RegistryStatus } from '#operator/api/registry-status.ts';
import type { TestCluster } from '#test/support/cluster.ts';
import { eventually } from '#test/support/eventually.ts';

/** As long as people should have to wait for an explanation. */
const noticed = { timeoutMs: 30_000, intervalMs: 250 };

export interface RegistryObject {
  metadata: { name: string; namespace: string; uid: string; finalizers?: string[] };
  status?: RegistryStatus;
}

/** A Registry on a volume that goes with its Pod, in `namespace`; `spec` on top. */
export function throwaway(namespace: string, name: string, spec: object = {}): object {
  return {
    apiVersion: 'registry-operator.dev/v1alpha1',
    kind: 'Registry',
    metadata: { namespace, name },
    spec: { storage: { emptyDir: {}, deletionPolicy: 'Delete' }, ...spec },
  };
}

export async function getRegistry(cluster: TestCluster, namespace: string, name: string): Promise<RegistryObject> {
  const found = await cluster.get<RegistryObject>('registries.registry-operator.dev', name, namespace);
  assert.ok(found, `no Registry ${namespace}/${name}`);
  return found;
}

export async function condition(
  cluster: TestCluster,
  namespace: string,
  name: string,
  type: ConditionType,
): Promise<Condition> {
  const { status } = await getRegistry(cluster, namespace, name);
  const found = status?.conditions?.find((candidate) => candidate.type === type);
  assert.ok(found, `no condition ${type} yet`);
  return found;
}

/** Seconds until the condition is `status`, with `reason` when it is given; fails after 30. */
export async function untilCondition(
  cluster: TestCluster,
  registry: { namespace: string; name: string },
  expected: { type: ConditionType; status: 'True' | 'False'; reason?: string; message?: RegExp },
): Promise<number> {
  const started = performance.now();
  await eventually(async () => {
    const found = await condition(cluster, registry.namespace, registry.name, expected.type);
    assert.equal(found.status, expected.status, `${expected.type} ${found.reason}: ${found.message}`);
    if (expected.reason !== undefined) assert.equal(found.reason, expected.reason, found.message);
    if (expected.message) assert.match(found.message, expected.message);
  }, noticed);
  return (performance.now() - started) / 1000;
}

export function untilReady(cluster: TestCluster, registry: { namespace: string; name: string }): Promise<number> {
  return untilCondition(cluster, registry, { type: 'Ready', status: 'True' });
}

/** Runs `work` in a namespace that is made for it and removed with all that is in it, Registries first. */
export async function inNamespace(
  cluster: TestCluster,
  namespace: string,
  work: () => Promise<void>,
  labels: Record<string, string> = {},
): Promise<void> {
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  try {
    await work();
  } finally {
    await cluster.kubectl(['delete', 'registries', '--all', '-n', namespace, '--timeout', '90s']);
    await cluster.kubectl(['delete', 'namespace', namespace, '--timeout', '90s']);
  }
}

/** Everything below certs.d of each node: names, modes, owners and contents. */
export async function certificateFolders(cluster: TestCluster): Promise<Record<string, string>> {
  const list =
    "cd /etc/containerd/certs.d && find . -printf '%P %y %m %U:%G\\n' | sort && find . -type f | sort | xargs -r sha256sum";
  const texts = await Promise.all(cluster.nodes.map((node) => cluster.onNode(node, list)));
  return Object.fromEntries(cluster.nodes.map((node, index) => [node, texts[index] ?? '']));
}
