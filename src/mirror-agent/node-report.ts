import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { KubeError } from '#shared/kube/kube-client.ts';
import type { NodeMirrorStatus } from '#shared/node-mirrors.ts';

/** Writes this node's NodeMirror. */
export interface NodeReport {
  /** Rejects when the server does not take it; the next call tries again. */
  write(status: NodeMirrorStatus, signal: AbortSignal): Promise<void>;
}

const nodeType: ResourceType = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

const nodeMirrorType: ResourceType = {
  apiVersion: 'registry-operator.dev/v1alpha1',
  kind: 'NodeMirror',
  plural: 'nodemirrors',
  namespaced: false,
};

/** Applying what is there already costs the server a look and no write, so this may be called as often as one likes. */
export function createNodeReport(client: KubeClient, nodeName: string): NodeReport {
  const nodeMirror = { apiVersion: nodeMirrorType.apiVersion, kind: nodeMirrorType.kind };

  const applyStatus = (status: NodeMirrorStatus, signal: AbortSignal): Promise<KubeObject> =>
    client.apply(nodeMirrorType, { ...nodeMirror, metadata: { name: nodeName }, status } as KubeObject, {
      subresource: 'status',
      signal,
    });

  /** Owned by the Node, so that the report of a node that is gone goes too. */
  const create = async (signal: AbortSignal): Promise<void> => {
    const node = await client.get(nodeType, { namespace: '', name: nodeName }, { signal });
    if (!node?.metadata.uid)
      throw new Error(`there is no Node ${nodeName}: NODE_NAME has to be spec.nodeName of the Pod`);
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid };
    await client.apply(
      nodeMirrorType,
      { ...nodeMirror, metadata: { name: nodeName, ownerReferences: [owner] } },
      { signal },
    );
  };

  return {
    async write(status, signal) {
      try {
        await applyStatus(status, signal);
      } catch (error) {
        if (!(error instanceof KubeError) || error.code !== 404) throw error;
        await create(signal);
        await applyStatus(status, signal);
      }
    },
  };
}
