/** One at a time for each key, in the order of asking. */
export interface KeyedMutex {
  run<T>(key: string, action: () => Promise<T>): Promise<T>;
}

export function createKeyedMutex(): KeyedMutex {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(key, action) {
      const before = tails.get(key);
      const turn = before ? before.then(action, action) : action();
      tails.set(key, turn);
      try {
        return await turn;
      } finally {
        if (tails.get(key) === turn) tails.delete(key);
      }
    },
  };
}
