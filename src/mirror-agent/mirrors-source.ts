import type { Cache } from '#shared/kube/cache.ts';
import type { KubeObject, ObjectName } from '#shared/kube/kube-client.ts';
import { mirrorsKey, mirrorsRevision, type NodeMirrors, parseMirrors } from '#shared/node-mirrors.ts';

export interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}

/** What this node is to have, as far as we know. */
export interface Desired {
  /** The last content that could be read; `undefined` when there was none yet: then nothing may be touched. */
  last: { revision: string; mirrors: NodeMirrors } | undefined;
  /** Whether the ConfigMap is there; without it nobody waits for a report. */
  published: boolean;
  /** Why {@link last} is older than what is published. */
  problem?: string;
}

/**
 * Reads the operator's ConfigMap, and remembers what it said: one that is gone or can't be read takes nothing from a
 * node. Only one that says so does.
 */
export function createMirrorsSource(cache: Cache<ConfigMap>, name: ObjectName): () => Desired {
  let last: Desired['last'];
  return () => {
    const text = cache.get(name)?.data?.[mirrorsKey];
    if (text === undefined) return { last, published: false };
    const revision = mirrorsRevision(text);
    try {
      if (last?.revision !== revision) last = { revision, mirrors: parseMirrors(text) };
      return { last, published: true };
    } catch (error) {
      return { last, published: true, problem: (error as Error).message };
    }
  };
}
