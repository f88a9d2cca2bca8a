/** Each trouble is a condition with a reason within 30 s, and passes by itself when its cause does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestCluster } from '#test/support/cluster.ts';
import { inNamespace, throwaway, untilCondition, untilReady } from './registries.ts';

const namespace = 'e2e-troubles';

export function troubles(cluster: () => TestCluster): void {
  const patch = (name: string, spec: object) =>
    cluster().kubectl(['patch', 'registry', name, '-n', namespace, '--type', 'merge', '-p', JSON.stringify({ spec })]);

  describe('troubles', () => {
    it('a nodePort that is taken', async () => {
      const registry = { namespace, name: 'taken' };
      await inNamespace(cluster(), namespace, async () => {
        await cluster().apply(throwaway(namespace, registry.name, { service: { type: 'NodePort', nodePort: 30500 } }));
        await untilCondition(cluster(), registry, { type: 'ServiceReady', status: 'False', message: /30500/ });
        await untilCondition(cluster(), registry, { type: 'Ready', status: 'False' });
        await patch(registry.name, { service: { nodePort: null } });
        await untilReady(cluster(), registry);
      });
    });

    it('a StorageClass that does not exist', async () => {
      const registry = { namespace, name: 'classless' };
      const storageClassName = 'e2e-later';
      const storage = { persistentVolumeClaim: { size: '1Gi', storageClassName }, deletionPolicy: 'Delete' };
      await inNamespace(cluster(), namespace, async () => {
        await cluster().apply({ ...throwaway(namespace, registry.name), spec: { storage } });
        await untilCondition(cluster(), registry, { type: 'StorageReady', status: 'False', message: /e2e-later/ });
        await cluster().apply({
          apiVersion: 'storage.k8s.io/v1',
          kind: 'StorageClass',
          metadata: { name: storageClassName },
          provisioner: 'rancher.io/local-path',
          volumeBindingMode: 'WaitForFirstConsumer',
          reclaimPolicy: 'Delete',
        });
        await untilReady(cluster(), registry);
      });
      await cluster().kubectl(['delete', 'storageclass', storageClassName]);
    });

    it('an image that cannot be pulled', async () => {
      const registry = { namespace, name: 'imageless' };
      const image = { repository: 'nowhere.example/registry-operator', tag: 'none' };
      await inNamespace(cluster(), namespace, async () => {
        await cluster().apply(throwaway(namespace, registry.name, { image }));
        const problem = { type: 'Available', status: 'False', reason: 'ImagePullFailed' } as const;
        await untilCondition(cluster(), registry, { ...problem, message: /nowhere\.example/ });
        await patch(registry.name, { image: { repository: null, tag: null } });
        await untilReady(cluster(), registry);
      });
    });

    it('a volume that is full', async () => {
      const registry = { namespace, name: 'full' };
      const node = cluster().nodes.find((name) => name.endsWith('worker')) ?? '';
      const folder = '/mnt/e2e-small';
      await cluster().onNode(node, `mkdir -p ${folder} && mount -t tmpfs -o size=24m,mode=777 tmpfs ${folder}`);
      try {
        await inNamespace(cluster(), namespace, async () => {
          await cluster().apply(...localVolume(node, folder));
          const storage = { existingClaim: 'small' };
          await cluster().apply({ ...throwaway(namespace, registry.name), spec: { storage } });
          await untilReady(cluster(), registry);
          assert.equal(await pushBlob(registry.name, node, 24_500_000), 201);
          await untilCondition(cluster(), registry, { type: 'StorageHealthy', status: 'False' });
          assert.equal(await pushBlob(registry.name, node, 2_000_000), 507);
          await cluster().onNode(node, `mount -o remount,size=256m ${folder}`);
          await untilCondition(cluster(), registry, { type: 'StorageHealthy', status: 'True' });
          assert.equal(await pushBlob(registry.name, node, 2_000_000), 201);
        });
      } finally {
        await cluster().kubectl(['delete', 'pv', 'e2e-small', '--ignore-not-found', '--timeout', '60s']);
        await cluster().onNode(node, `umount ${folder}`);
      }
    });
  });

  /**
   * HTTP status of pushing one random blob from a node. A Service refuses connections for about a second after its Pod
   * has become ready, until kube-proxy has heard of it.
   */
  async function pushBlob(name: string, node: string, size: number): Promise<number> {
    const address = await cluster().kubectl([
      'get',
      'service',
      name,
      '-n',
      namespace,
      '-o',
      'jsonpath={.spec.clusterIP}',
    ]);
    const push = [
      'file=$(mktemp)',
      `head -c ${size} /dev/urandom > $file`,
      'digest=sha256:$(sha256sum < $file | cut -d" " -f1)',
      `curl -s --retry 20 --retry-connrefused --retry-delay 1 -o /dev/null -w '%{http_code}' --data-binary @$file -H 'Content-Type: application/octet-stream' "http://${address}:5000/v2/full/blobs/uploads/?digest=$digest"`,
      'rm $file',
    ];
    return Number(await cluster().onNode(node, push.join('; ')));
  }
}

/** A volume that is a folder of one node, and the claim for it. */
function localVolume(node: string, path: string): object[] {
  const capacity = { storage: '24Mi' };
  const shape = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }];
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'e2e-small' },
      spec: {
        ...shape,
        capacity,
        local: { path },
        persistentVolumeReclaimPolicy: 'Retain',
        nodeAffinity: { required: { nodeSelectorTerms: terms } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'small', namespace },
      spec: { ...shape, resources: { requests: capacity }, volumeName: 'e2e-small' },
    },
  ];
}
