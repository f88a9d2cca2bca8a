import type { BackoffPolicy } from '#shared/backoff.ts';
import { type Clock, systemClock } from '#shared/clock.ts';
import { withDeadline } from '#shared/deadline.ts';
import type { Cache } from '#shared/kube/cache.ts';
import { KubeError, type KubeObject } from '#shared/kube/kube-client.ts';
import { aborted } from '#shared/lifecycle.ts';
import type { Logger } from '#shared/logger.ts';
import type { ControllerMetrics, Outcome } from './metrics.ts';
import { Queue } from './queue.ts';
import { type Reconciler, type Request, TerminalError } from './reconciler.ts';

/** What a server asks for by Retry-After is done, up to this. */
const longestPatienceMs = 60_000;

export interface ControllerOptions {
  /** Names the controller in metrics and logs: `registry`. */
  name: string;
  reconciler: Reconciler;
  log: Logger;
  metrics: ControllerMetrics;
  /** Names reconciled at the same time; never twice the same. */
  workers?: number;
  /** Milliseconds after which the signal of one reconcile aborts; a worker is never lost to a call that hangs. */
  timeoutMs?: number;
  backoff?: BackoffPolicy;
  clock?: Clock;
}

export interface Controller {
  readonly name: string;
  /** Reconciles this name soon, or after so many milliseconds. */
  enqueue(request: Request, afterMs?: number): void;
  /** Reconciles the names that a changed object concerns; asked as well for what the object was before. */
  watch<T extends KubeObject>(cache: Cache<T>, concerns: (object: T) => Request[]): void;
  /** Works until `signal` aborts and the workers came to an end. */
  run(signal: AbortSignal): Promise<void>;
}

/** Workers that take names from a queue and hand them to a {@link Reconciler}. */
export function createController(options: ControllerOptions): Controller {
  const { name, metrics, workers = 1, clock = systemClock, backoff } = options;
  const queue = new Queue({ clock, observer: metrics.queue, ...(backoff && { backoff }) });
  metrics.observeQueue(queue);
  metrics.setWorkers(workers);
  return {
    name,
    enqueue: (request, afterMs = 0) => queue.addAfter(request, afterMs),
    watch(cache, concerns) {
      cache.onChange((object, { previous }) => {
        const requests = previous ? [...concerns(previous), ...concerns(object)] : concerns(object);
        for (const request of requests) queue.add(request);
      });
    },
    async run(signal) {
      void aborted(signal).then(() => queue.shutdown());
      await Promise.all(Array.from({ length: workers }, () => work(queue, options, signal)));
    },
  };
}

async function work(queue: Queue, options: ControllerOptions, signal: AbortSignal): Promise<void> {
  for (;;) {
    const request = await queue.take();
    if (!request) return;
    try {
      await reconcileOne(queue, request, options, signal);
    } finally {
      queue.done(request);
    }
  }
}

async function reconcileOne(
  queue: Queue,
  request: Request,
  options: ControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const { reconciler, metrics, clock = systemClock, timeoutMs = 120_000 } = options;
  const started = clock.now();
  const end = (outcome: Outcome, terminal = false): void =>
    metrics.onEnd(outcome, (clock.now() - started) / 1000, terminal);
  metrics.onStart();
  try {
    const { requeueAfterMs } = await withDeadline(clock, timeoutMs, signal, (signal) =>
      reconciler.reconcile(request, signal),
    );
    queue.forget(request);
    if (requeueAfterMs !== undefined) queue.addAfter(request, requeueAfterMs);
    end(requeueAfterMs === undefined ? 'success' : 'requeue_after');
  } catch (error) {
    end('error', error instanceof TerminalError);
    if (!signal.aborted) retry(queue, request, error, options);
  }
}

function retry(queue: Queue, request: Request, error: unknown, { name, log }: ControllerOptions): void {
  const about = { controller: name, ...request, err: error };
  if (error instanceof TerminalError) {
    queue.forget(request);
    log.error(about, 'reconcile failed, and only a change can help');
    return;
  }
  const asked = Math.min((error instanceof KubeError && error.retryAfterMs) || 0, longestPatienceMs);
  const failures = queue.failures(request) + 1;
  const againMs = Math.round(queue.addRateLimited(request, asked));
  // Somebody else wrote in between: no fault of anybody's, and the next try sees what they wrote.
  const conflict = error instanceof KubeError && error.code === 409 && failures === 1;
  log[conflict ? 'debug' : 'error']({ ...about, failures, againMs }, 'reconcile failed');
}
