export interface Waiter {
  /** Resolves at the next wake, or when `signal` is aborted. */
  wait(signal: AbortSignal): Promise<void>;
  wake(): void;
}

export function createWaiter(): Waiter {
  let waking = Promise.withResolvers<void>();
  return {
    async wait(signal) {
      if (signal.aborted) return;
      const aborted = Promise.withResolvers<void>();
      const abort = () => aborted.resolve();
      signal.addEventListener('abort', abort, { once: true });
      await Promise.race([waking.promise, aborted.promise]);
      signal.removeEventListener('abort', abort);
    },
    wake() {
      waking.resolve();
      waking = Promise.withResolvers();
    },
  };
}
