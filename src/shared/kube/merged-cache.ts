import type { Cache } from './cache.ts';
import type { KubeObject } from './kube-client.ts';

/** Several caches of one kind as one: a kind in a few namespaces. */
export function mergedCache<T extends KubeObject>(parts: Cache<T>[]): Cache<T> {
  return {
    get(name) {
      for (const part of parts) {
        const found = part.get(name);
        if (found) return found;
      }
      return undefined;
    },
    list: () => parts.flatMap((part) => part.list()),
    onChange(handler) {
      const unsubscribe = parts.map((part) => part.onChange(handler));
      return () => unsubscribe.forEach((stop) => stop());
    },
  };
}
