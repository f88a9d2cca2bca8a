import type { NodeMirror } from '#operator/api/node-mirror.ts';

/** A node that still has files of a Registry. */
export interface Holder {
  node: string;
  /** What the agent says, when it could not remove them. */
  message?: string;
}

/**
 * The nodes that have not yet confirmed that the files of this Registry are gone. Nodes that are gone do not count: their
 * reports went with them. What somebody edited was left alone, and does not count either.
 */
export function nodesHolding(registryUid: string, reports: NodeMirror[]): Holder[] {
  return reports.flatMap(({ metadata, status }) => {
    const held = (status?.hosts ?? []).filter(
      ({ registry, state }) => registry.uid === registryUid && state !== 'Conflict',
    );
    if (held.length === 0) return [];
    const message = held.find((host) => host.state === 'Failed')?.message;
    return [{ node: metadata.name, ...(message === undefined ? {} : { message }) }];
  });
}
