export interface Scope {
  /** Runs `hook` when the scope ends. */
  after(hook: () => void | Promise<void>): void;
}

/** A scope of our own, for what lives longer than one test, or apart from any; hooks run last first. */
export function openScope(): Scope & { close(): Promise<void> } {
  const hooks: (() => void | Promise<void>)[] = [];
  return {
    after: (hook) => void hooks.push(hook),
    async close() {
      for (let hook = hooks.pop(); hook; hook = hooks.pop()) await hook();
    },
  };
}
