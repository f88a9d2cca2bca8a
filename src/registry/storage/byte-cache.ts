/** A cache with a budget in bytes: what was not used for the longest time goes first. */
export interface ByteCache<V> {
  get(key: string): V | undefined;
  /** `bytes` is what the entry costs; one that is larger than an eighth of the budget is not kept. */
  set(key: string, value: V, bytes: number): void;
  delete(key: string): void;
  /** Bytes in use. */
  readonly size: number;
}

/** A Map iterates in the order of insertion, so taking out and putting back makes an entry the youngest. */
export function createByteCache<V>(budget: number): ByteCache<V> {
  const entries = new Map<string, { value: V; bytes: number }>();
  let size = 0;

  function remove(key: string): void {
    const entry = entries.get(key);
    if (!entry) return;
    size -= entry.bytes;
    entries.delete(key);
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, bytes) {
      remove(key);
      if (bytes > budget / 8) return;
      entries.set(key, { value, bytes });
      size += bytes;
      for (const oldest of entries.keys()) {
        if (size <= budget) break;
        remove(oldest);
      }
    },
    delete: remove,
    get size() {
      return size;
    },
  };
}
