import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import { isFailure } from '#shared/kube/failure.ts';
import type { NodeMirrorStatus } from '#shared/node-mirrors.ts';

/** Writes this node's NodeMirror. */
export interface NodeReport {
  /** Creates it when there is something to tell. Rejects when the server does not take it; the next call tries again. */
  write(status: NodeMirrorStatus, signal: AbortSignal): Promise<void>;
}

const nodeType: ResourceType = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

const nodeMirrorType: ResourceType = {
  apiVersion: 'registry-operator.dev/v1alpha1',
  kind: 'NodeMirror',
  plural: 'nodemirrors',
  namespaced: false,
};

/**
 * Patching to what is there already costs the server a look and no write, so this may be called as often as one likes.
 * A merge patch, since server-side apply drops a list that became empty, and `hosts` is required.
 */
export function createNodeReport(client: KubeClient, nodeName: string): NodeReport {
  const name = { namespace: '', name: nodeName };

  const patchStatus = (status: NodeMirrorStatus, signal: AbortSignal): Promise<KubeObject> => {
    const whole = { ...status, message: status.message ?? null };
    return client.patch(nodeMirrorType, name, { status: whole }, { subresource: 'status', signal });
  };

  /** Owned by the Node, so that the report of a node that is gone goes too. */
  const create = async (signal: AbortSignal): Promise<void> => {
    const node = await client.get(nodeType, name, { signal });
    if (!node?.metadata.uid)
      throw new Error(`there is no Node ${nodeName}: NODE_NAME has to be spec.nodeName of the Pod`);
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid };
    const { apiVersion, kind } = nodeMirrorType;
    await client.apply(
      nodeMirrorType,
      { apiVersion, kind, metadata: { name: nodeName, ownerReferences: [owner] } },
      { signal },
    );
  };

  return {
    async write(status, signal) {
      try {
        await patchStatus(status, signal);
      } catch (error) {
        if (!isFailure(error, 404)) throw error;
        // Nothing to say, and nobody waits: at uninstall the report that was removed must not come back.
        if (status.hosts.length === 0 && status.message === undefined) return;
        await create(signal);
        await patchStatus(status, signal);
      }
    },
  };
}
