import type { Request } from '#operator/runtime/reconciler.ts';
import { type BackoffPolicy, backoffMs } from '#shared/backoff.ts';
import { type Clock, sleep, systemClock } from '#shared/clock.ts';
import type { Logger } from '#shared/logger.ts';
import type { Usage } from '#shared/usage.ts';
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
   * Listens from now on; to be called whenever the registry is seen to run, since a pause after failures ends then. Another
   * address, or other Pods behind it, mean a new connection: the old one may hang at a Pod that is gone.
   */
  follow(request: Request, address: string, pods?: string): void;
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
  /** Milliseconds without a connection until that is a problem: a Pod that is replaced is none. */
  patienceMs?: number;
  log: Logger;
  clock?: Clock;
  backoff?: BackoffPolicy;
}

interface Listener {
  address: string;
  pods: string;
  state: UsageState;
  stop: AbortController;
  /** Ends the pause before the next connection. */
  wake: () => void;
}

/** Each new connection begins with the current figures, so that trying again is also the poll that misses nothing. */
const defaultBackoff: BackoffPolicy = { baseMs: 250, maxMs: 5000 };

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
    follow(request, address, pods = '') {
      const known = listeners.get(keyOf(request));
      if (ended?.aborted) return;
      if (known?.address === address && known.pods === pods) return known.wake();
      known?.stop.abort();
      const listener = { address, pods, state: known?.state ?? {}, stop: new AbortController(), wake: () => {} };
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
  { open, onChange, log, backoff = defaultBackoff, patienceMs = 10_000 }: UsageWatcherOptions,
  clock: Clock,
  request: Request,
  listener: Listener,
): Promise<void> {
  const { signal } = listener.stop;
  const { state } = listener;
  let failures = 0;
  let lastHeard = clock.now();
  const onUsage = (usage: Usage): void => {
    failures = 0;
    lastHeard = clock.now();
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
    if (clock.now() - lastHeard >= patienceMs && state.problem !== problem) {
      state.problem = problem;
      onChange(request);
    }
    const woken = await pause(
      clock,
      backoffMs(backoff, failures, () => clock.random()),
      listener,
    );
    // A Pod that is ready still can't be reached for a moment, by its Service: so soon again, not only at once.
    if (woken) failures = 0;
  }
}

/** Whether it was ended by a call of `wake`. */
async function pause(clock: Clock, ms: number, listener: Listener): Promise<boolean> {
  const pausing = new AbortController();
  const wake = (): void => pausing.abort();
  const { signal } = listener.stop;
  listener.wake = wake;
  signal.addEventListener('abort', wake, { once: true });
  await sleep(clock, ms, pausing.signal);
  signal.removeEventListener('abort', wake);
  listener.wake = () => {};
  return pausing.signal.aborted;
}
