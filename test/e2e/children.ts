/** Whatever happens to an object of a Registry, it comes back as it should be; what users added to it stays. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestCluster } from '#test/support/cluster.ts';
import { eventually } from '#test/support/eventually.ts';
import { untilReady } from './registries.ts';

const registry = { namespace: 'default', name: 'kind-registry' };

interface Child {
  metadata: { uid: string; annotations?: Record<string, string> };
}

/** A merge patch that breaks each child, and a look at what it broke. */
const damages: { kind: string; patch: object; mended: string; value: string }[] = [
  {
    kind: 'deployment',
    patch: { spec: { replicas: 3 } },
    mended: '{.spec.replicas}',
    value: '1',
  },
  {
    kind: 'service',
    patch: { spec: { selector: { 'app.kubernetes.io/instance': 'nobody' } } },
    mended: '{.spec.selector.app\\.kubernetes\\.io/instance}',
    value: registry.name,
  },
  {
    kind: 'configmap',
    patch: { data: { 'config.yml': 'version: 9' } },
    mended: '{.data.config\\.yml}',
    value: 'version: 0.1',
  },
  {
    kind: 'poddisruptionbudget',
    patch: { spec: { maxUnavailable: '50%' } },
    mended: '{.spec.maxUnavailable}',
    value: '1',
  },
  {
    kind: 'networkpolicy',
    patch: { spec: { ingress: [] } },
    mended: '{.spec.ingress[0].ports[0].port}',
    value: '5000',
  },
  {
    kind: 'serviceaccount',
    patch: { automountServiceAccountToken: true },
    mended: '{.automountServiceAccountToken}',
    value: 'false',
  },
];

export function children(cluster: () => TestCluster): void {
  const read = async (kind: string) => {
    const found = await cluster().get<Child>(kind, registry.name, registry.namespace);
    assert.ok(found, `no ${kind}`);
    return found;
  };
  const field = (kind: string, path: string) =>
    cluster().kubectl(['get', kind, registry.name, '-n', registry.namespace, '-o', `jsonpath=${path}`]);

  describe('each child', () => {
    for (const { kind, patch, mended, value } of damages) {
      it(`${kind}: an edit is taken back, what a user added stays`, async () => {
        const note = { metadata: { annotations: { 'example.com/note': 'mine' } } };
        await cluster().kubectl([
          'patch',
          kind,
          registry.name,
          '--type',
          'merge',
          '-p',
          JSON.stringify({ ...note, ...patch }),
        ]);
        await eventually(async () =>
          assert.ok((await field(kind, mended)).startsWith(value), await field(kind, mended)),
        );
        assert.equal((await read(kind)).metadata.annotations?.['example.com/note'], 'mine');
      });

      it(`${kind}: comes back when it is deleted`, async () => {
        const { uid } = (await read(kind)).metadata;
        await cluster().kubectl(['delete', kind, registry.name, '--wait=false']);
        await eventually(async () => assert.notEqual((await read(kind)).metadata.uid, uid), { timeoutMs: 30_000 });
      });
    }

    it('the Service made anew has the address that nodes know', async () => {
      const address = await field('service', '{.spec.clusterIP}');
      const { uid } = (await read('service')).metadata;
      await cluster().kubectl(['delete', 'service', registry.name]);
      await eventually(async () => assert.notEqual((await read('service')).metadata.uid, uid));
      assert.equal(await field('service', '{.spec.clusterIP}'), address);
    });

    it('and the Registry is ready again, with its data', async () => {
      await untilReady(cluster(), registry);
      const url = `http://localhost:${cluster().port}/v2/demo/tags/list`;
      await eventually(async () => assert.equal((await fetch(url)).status, 200), { timeoutMs: 30_000 });
    });
  });
}
