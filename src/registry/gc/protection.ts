/**
 * What keeps running pushes and a running collection apart, inside of one process. A key is a digest or the name of a
 * repository. The argument that this is enough is docs/adr/0007-online-garbage-collection.md.
 */
export interface Protection {
  /**
   * Nothing under these keys is removed until the returned function is called, and for the protected time after. Waits
   * for a removal that is under way, so that whoever holds a key afterwards sees whether the content is still there.
   */
  hold(keys: Iterable<string>): Promise<() => void>;
  /** A hold that is over at once: a client was told that the content is here, and may rely on it. */
  touch(key: string): Promise<void> | undefined;
  /** From here to the call of the returned function every use counts, however long the collection takes. */
  begin(): () => void;
  /**
   * Runs `removal` unless somebody holds one of the keys, or has used it since the collection began or within the
   * protected time. `false` when nothing was removed.
   */
  remove(keys: string[], removal: () => Promise<boolean>): Promise<boolean>;
}

/** The key of a tag: it may move to another digest. */
export function tagKey(repository: string, tag: string): string {
  return `${repository} ${tag}`;
}

export interface ProtectionOptions {
  /** Milliseconds that a use protects a key at least; a use during a collection protects until its end. */
  protectMs: number;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** Uses after which forgotten ones are cleared away: a bound for the memory of a busy registry. */
const cleanEvery = 10_000;

export function createProtection({ protectMs, now = () => performance.now() }: ProtectionOptions): Protection {
  const holders = new Map<string, number>();
  const removals = new Map<string, Promise<unknown>>();
  const usedAt = new Map<string, number>();
  let began = Number.POSITIVE_INFINITY;
  let uses = 0;

  const protectedSince = () => Math.min(began, now() - protectMs);

  function use(key: string): void {
    usedAt.set(key, now());
    if (++uses % cleanEvery !== 0) return;
    const oldest = protectedSince();
    for (const [key, at] of usedAt) if (at < oldest) usedAt.delete(key);
  }

  async function hold(keys: Iterable<string>): Promise<() => void> {
    const held = [...new Set(keys)];
    for (const key of held) holders.set(key, (holders.get(key) ?? 0) + 1);
    await Promise.allSettled(held.flatMap((key) => removals.get(key) ?? []));
    return () => {
      for (const key of held.splice(0)) {
        const left = (holders.get(key) ?? 1) - 1;
        if (left === 0) holders.delete(key);
        else holders.set(key, left);
        use(key);
      }
    };
  }

  function touch(key: string): Promise<void> | undefined {
    use(key);
    return removals.get(key)?.then(
      () => undefined,
      () => undefined,
    );
  }

  /** From the look to the entry in `removals` nothing else runs, so no hold can come in between. */
  async function remove(keys: string[], removal: () => Promise<boolean>): Promise<boolean> {
    if (keys.some(isProtected)) return false;
    const running = removal();
    for (const key of keys) removals.set(key, running);
    try {
      return await running;
    } finally {
      for (const key of keys) removals.delete(key);
    }
  }

  function isProtected(key: string): boolean {
    return holders.has(key) || removals.has(key) || (usedAt.get(key) ?? Number.NEGATIVE_INFINITY) >= protectedSince();
  }

  function begin(): () => void {
    began = now();
    return () => {
      began = Number.POSITIVE_INFINITY;
    };
  }

  return { hold, touch, begin, remove };
}
