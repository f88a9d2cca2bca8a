/** Short words for tests about Registries on an API server without controllers and kubelets, whose part they play. */
import assert from 'node:assert/strict';
import { apiVersion } from '#operator/api/names.ts';
import { type Registry, registryType } from '#operator/api/registry.ts';
import type { Condition, ConditionType } from '#operator/api/conditions.ts';
import { deploymentType } from '#operator/children/kinds.ts';
import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { eventually } from './eventually.ts';

export interface Registries {
  readonly client: KubeClient;
  create(name: string, spec: object): Promise<Registry>;
  /** Merges into the spec. */
  change(name: string, spec: object): Promise<void>;
  get(name: string): Promise<Registry>;
  /** Waits for an object of the namespace "default". */
  appears<T extends KubeObject>(type: ResourceType, name: string): Promise<T>;
  /** Waits until a condition has this status and reason; the whole condition then. */
  condition(name: string, type: ConditionType, status: Condition['status'], reason?: string): Promise<Condition>;
  /** What controllers and kubelets would report of so many Pods. */
  reportPods(name: string, ready: number): Promise<void>;
  /** Deletes the Registry and its children, whatever state they are in. */
  remove(name: string): Promise<void>;
}

const namespace = 'default';

export function registriesOn(client: KubeClient): Registries {
  const get = async (name: string): Promise<Registry> => {
    const found = await client.get<Registry>(registryType, { namespace, name });
    assert.ok(found, `no Registry ${name}`);
    return found;
  };
  return {
    client,
    get,
    create: (name, spec) =>
      client.create<Registry>(registryType, {
        apiVersion,
        kind: 'Registry',
        metadata: { name, namespace },
        spec,
      } as KubeObject),
    async change(name, spec) {
      await client.patch(registryType, { namespace, name }, { spec });
    },
    // Longer than the ten seconds after which the operator looks again at what no watch tells of.
    appears: <T extends KubeObject>(type: ResourceType, name: string) =>
      eventually(
        async () => {
          const found = await client.get<T>(type, { namespace, name });
          assert.ok(found, `no ${type.kind} ${name}`);
          return found;
        },
        { timeoutMs: 20_000 },
      ),
    condition: (name, type, status, reason) =>
      eventually(
        async () => {
          const { status: { conditions = [] } = {} } = await get(name);
          const found = conditions.find((condition) => condition.type === type);
          assert.ok(found, `no condition ${type}`);
          assert.deepEqual(
            { ...found, status: found.status, reason: found.reason },
            { ...found, status, reason: reason ?? found.reason },
          );
          return found;
        },
        { timeoutMs: 30_000 },
      ),
    async reportPods(name, ready) {
      await eventually(async () => {
        const { metadata } = (await client.get(deploymentType, { namespace, name })) ?? {};
        assert.ok(metadata, `no Deployment ${name}`);
        const status = {
          observedGeneration: metadata.generation,
          replicas: ready,
          updatedReplicas: ready,
          readyReplicas: ready,
          availableReplicas: ready,
        };
        await client.patch(deploymentType, { namespace, name }, { status }, { subresource: 'status' });
      });
    },
    async remove(name) {
      const found = await client.get(registryType, { namespace, name });
      if (!found) return;
      await client.remove(registryType, { namespace, name });
      await eventually(
        async () =>
          assert.equal(await client.get(registryType, { namespace, name }), undefined, `${name} is still there`),
        { timeoutMs: 20_000 },
      );
    },
  };
}
