import type { ByteCache } from './byte-cache.ts';

/** Told of each look: whether there was an entry. */
export type ObserveCache = (hit: boolean) => void;

/** One that turns out to be out of date, because its file has changed, counts as a hit: it was there. */
export function countedCache<V>(cache: ByteCache<V>, observe: ObserveCache): ByteCache<V> {
  return {
    get(key) {
      const value = cache.get(key);
      observe(value !== undefined);
      return value;
    },
    set: (key, value, bytes) => cache.set(key, value, bytes),
    delete: (key) => cache.delete(key),
    get size() {
      return cache.size;
    },
  };
}
