import type { Clock } from '#shared/clock.ts';

export interface Remembered<T> {
  get(): Promise<T>;
  forget(): void;
}

/** Reads again after `ms` milliseconds, once for all who ask at the same time; a failure is not remembered. */
export function remembered<T>(clock: Clock, ms: number, read: () => Promise<T>): Remembered<T> {
  let known: { value: Promise<T>; at: number } | undefined;
  return {
    get() {
      if (known && clock.now() - known.at < ms) return known.value;
      const reading = { value: read(), at: clock.now() };
      known = reading;
      reading.value.catch(() => {
        if (known === reading) known = undefined;
      });
      return reading.value;
    },
    forget() {
      known = undefined;
    },
  };
}
