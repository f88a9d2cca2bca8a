import type { Request } from '#operator/runtime/reconciler.ts';
import { type BackoffPolicy, backoffMs } from '#shared/backoff.ts';
import { type Clock, sleep, systemClock } from '#shared/clock.ts';
import type { Logger } from '#shared/logger.ts';
import type { Usage } from './usage.ts';
import { type OpenUsage, readUsage } from './usage-stream.ts';

/** What is known of one registry. */
export interface UsageState {
  /** The last that was heard, perhaps a while ago. */
  usage?: Usage;
  /** Why nothing is heard now; `undefined` while the connection stands. */
  problem?: string;
}

/** Listens to every registry that runs: a push is known within a moment, and a quiet registry costs nothing. */
export interface UsageWatcher {
  /**
   * Listens from now on, at `address`: anything that names the place, so that another one means a new connection. To be
   * called whenever the registry is seen to run: a pause after failures ends then.
   */
  follow(request: Request, address: string): void;
  /** Stops listening, and forgets. */
  forget(request: Request): void;
  get(request: Request): UsageState;
  /** Listens until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface UsageWatcherOptions {
  open: (address: string, signal: AbortSignal) => ReturnType<OpenUsage>;
  /** Called at each change, also of whether anything is heard. */
  onChange: (request: Request) => void;
  log: Logger;
  clock?: Clock;
  backoff?: BackoffPolicy;
}

interface Listener {
  address: string;
  state: UsageState;
  stop: AbortController;
  /** Ends the pause before the next connection. */
  wake: () => void;
}

/** Each new connection begins with the current figures, so that trying again is also the poll that misses nothing. */
const defaultBackoff: BackoffPolicy = { baseMs: 250, maxMs: 10_000 };

export function createUsageWatcher(options: UsageWatcherOptions): UsageWatcher {
  const { clock = systemClock } = options;
  const listeners = new Map<string, Listener>();
  const running = new Set<Promise<void>>();
  let ended: AbortSignal | undefined;

  function start(request: Request, listener: Listener): void {
    const task = listen(options, clock, request, listener).finally(() => running.delete(task));
    running.add(task);
  }

  return {
    follow(request, address) {
      const known = listeners.get(keyOf(request));
      if (ended?.aborted) return;
      if (known?.address === address) return known.wake();
      known?.stop.abort();
      const listener = { address, state: known?.state ?? {}, stop: new AbortController(), wake: () => {} };
      listeners.set(keyOf(request), listener);
      start(request, listener);
    },
    forget(request) {
      listeners.get(keyOf(request))?.stop.abort();
      listeners.delete(keyOf(request));
    },
    get: (request) => listeners.get(keyOf(request))?.state ?? {},
    async run(signal) {
      ended = signal;
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      for (const { stop } of listeners.values()) stop.abort();
      await Promise.all(running);
    },
  };
}

function keyOf({ namespace, name }: Request): string {
  return `${namespace}/${name}`;
}

async function listen(
  { open, onChange, log, backoff = defaultBackoff }: UsageWatcherOptions,
  clock: Clock,
  request: Request,
  listener: Listener,
): Promise<void> {
  const { signal } = listener.stop;
  const { state } = listener;
  let failures = 0;
  const onUsage = (usage: Usage): void => {
    failures = 0;
    const changed = state.problem !== undefined || JSON.stringify(usage) !== JSON.stringify(state.usage);
    state.usage = usage;
    delete state.problem;
    if (changed) onChange(request);
  };
  while (!signal.aborted) {
    let problem = 'the registry ended the connection';
    try {
      await readUsage((signal) => open(listener.address, signal), clock, signal, onUsage);
    } catch (error) {
      problem = (error as Error).message;
    }
    if (signal.aborted) return;
    failures++;
    log.debug({ ...request, problem, failures }, 'not connected to the registry');
    // A connection that ends now and then (a rollout, a proxy's time limit) is no news; one that can't be had is.
    if (failures > 1 && state.problem !== problem) {
      state.problem = problem;
      onChange(request);
    }
    const pause = new AbortController();
    listener.wake = () => pause.abort();
    const pauseMs = backoffMs(backoff, failures, () => clock.random());
    await sleep(clock, pauseMs, AbortSignal.any([signal, pause.signal]));
    // A Pod that is ready still can't be reached for a moment, by its Service: so soon again, not only at once.
    if (pause.signal.aborted) failures = 0;
  }
}
