import { setImmediate as nextTurn } from 'node:timers/promises';

export interface WorkOptions<T> {
  /** Visits at a time. */
  width: number;
  signal?: AbortSignal;
  /** May `add` further items. */
  visit: (item: T, add: (item: T) => void) => Promise<void>;
}

/** Milliseconds of work after which requests get their turn: looks at local files finish without waiting for anything. */
const turnMs = 4;

/** Visits every item, and what the visits add, in no order; rejects with the first error or the reason of the signal. */
export async function workThrough<T>(items: Iterable<T>, options: WorkOptions<T>): Promise<void> {
  const queue = [...items];
  const visits = new Set<Promise<void>>();
  const add = (item: T) => void queue.push(item);
  let turn = performance.now();
  /** Kept here, since a visit may fail while nobody waits for it: in a turn of the others. */
  let failure: { error: unknown } | undefined;

  function start(item: T): void {
    const visit = options
      .visit(item, add)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => visits.delete(visit));
    visits.add(visit);
  }

  try {
    while (queue.length > 0 || visits.size > 0) {
      options.signal?.throwIfAborted();
      if (failure) break;
      while (queue.length > 0 && visits.size < options.width) start(queue.pop() as T);
      await Promise.race(visits);
      if (performance.now() - turn < turnMs) continue;
      await nextTurn();
      turn = performance.now();
    }
  } finally {
    await Promise.all(visits);
  }
  if (failure) throw failure.error;
}
