import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '#shared/clock.ts';

export interface FakeClock extends Clock {
  /** Lets time pass: what was to happen meanwhile happens in its order, each with all that follows from it. */
  advance(ms: number): Promise<void>;
  /** Timers that are set. */
  readonly pending: number;
}

/** A clock that stands still until told; `random` always gives 0 unless told otherwise. */
export function fakeClock(random: () => number = () => 0): FakeClock {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  const start = new Date('2026-01-01T00:00:00Z').getTime();
  return {
    now: () => now,
    date: () => new Date(start + now),
    random,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await turn();
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.callback();
      }
      now = end;
      await turn();
    },
    get pending() {
      return timers.size;
    },
  };
}
