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
      const failures: unknown[] = [];
      for (let hook = hooks.pop(); hook; hook = hooks.pop()) {
        // What fails to end must not keep the others alive: a test file ends when its last process does.
        try {
          await hook();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '));
    },
  };
}
