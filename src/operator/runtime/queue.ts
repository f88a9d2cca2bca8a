import { type BackoffPolicy, backoffMs } from '#shared/backoff.ts';
import { type Clock, systemClock } from '#shared/clock.ts';
import type { Request } from './reconciler.ts';
import { type BucketOptions, createTokenBucket, type TokenBucket } from './token-bucket.ts';

/** What happens in a queue, for its metrics; all times in seconds. */
export interface QueueObserver {
  onAdd(): void;
  onRetry(): void;
  onTaken(waited: number): void;
  onDone(worked: number): void;
}

export interface QueueOptions {
  clock?: Clock;
  /** The pause after failures of one name; 0.25 s to 30 s by default, so that a healed cause is seen within 30 s. */
  backoff?: BackoffPolicy;
  /** The pace of retries of all names together; 10 a second after the first 100 by default, as client-go. */
  bucket?: BucketOptions;
  observer?: QueueObserver;
}

/**
 * Names that wait for a worker. A name is in it once, however often it was added, and with one worker at most: added
 * while that one works, it comes again afterwards. Source: client-go's workqueue (dirty and processing sets).
 */
export class Queue {
  readonly #clock: Clock;
  readonly #backoff: BackoffPolicy;
  readonly #bucket: TokenBucket;
  readonly #observer: QueueObserver | undefined;
  /** Waiting, in order; with the time they came. */
  readonly #waiting = new Map<string, { request: Request; since: number }>();
  /** With a worker, with the time it began. */
  readonly #processing = new Map<string, number>();
  /** Added again while with a worker. */
  readonly #again = new Map<string, { request: Request; since: number }>();
  readonly #timers = new Map<string, { due: number; cancel: () => void }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((request: Request | undefined) => void)[] = [];
  #closed = false;

  constructor(options: QueueOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#backoff = options.backoff ?? { baseMs: 250, maxMs: 30_000 };
    this.#bucket = createTokenBucket(options.bucket ?? { perSecond: 10, burst: 100 }, () => this.#clock.now());
    this.#observer = options.observer;
  }

  add(request: Request): void {
    const key = keyOf(request);
    if (this.#closed || this.#waiting.has(key) || this.#again.has(key)) return;
    this.#observer?.onAdd();
    const entry = { request, since: this.#clock.now() };
    if (this.#processing.has(key)) {
      this.#again.set(key, entry);
      return;
    }
    this.#waiting.set(key, entry);
    this.#takers.shift()?.(this.#next());
  }

  /** The earliest of several times counts. */
  addAfter(request: Request, ms: number): void {
    if (this.#closed) return;
    if (ms <= 0) {
      this.add(request);
      return;
    }
    const key = keyOf(request);
    const due = this.#clock.now() + ms;
    const timer = this.#timers.get(key);
    if (timer && timer.due <= due) return;
    timer?.cancel();
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(key);
      this.add(request);
    });
    this.#timers.set(key, { due, cancel });
  }

  /** Again after a failure, each time later, and not before `atLeastMs`; the milliseconds until then. */
  addRateLimited(request: Request, atLeastMs = 0): number {
    const key = keyOf(request);
    const failures = this.failures(request) + 1;
    this.#failures.set(key, failures);
    this.#observer?.onRetry();
    const own = backoffMs(this.#backoff, failures, () => this.#clock.random());
    const ms = Math.max(own, atLeastMs, this.#bucket.reserve());
    this.addAfter(request, ms);
    return ms;
  }

  /** It went well: the next failure is a first one. */
  forget(request: Request): void {
    this.#failures.delete(keyOf(request));
  }

  failures(request: Request): number {
    return this.#failures.get(keyOf(request)) ?? 0;
  }

  /** The next name, when there is one; `undefined` once the queue is shut down. Each must be given back by {@link done}. */
  take(): Promise<Request | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const request = this.#next();
    return request ? Promise.resolve(request) : new Promise((resolve) => this.#takers.push(resolve));
  }

  done(request: Request): void {
    const key = keyOf(request);
    const started = this.#processing.get(key);
    if (started === undefined) return;
    this.#processing.delete(key);
    this.#observer?.onDone((this.#clock.now() - started) / 1000);
    const again = this.#again.get(key);
    if (!again) return;
    this.#again.delete(key);
    if (this.#closed) return;
    this.#waiting.set(key, again);
    this.#takers.shift()?.(this.#next());
  }

  /** Takes nothing in and gives nothing out any more; who works goes on. */
  shutdown(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#again.clear();
    for (const { cancel } of this.#timers.values()) cancel();
    this.#timers.clear();
    for (const resolve of this.#takers.splice(0)) resolve(undefined);
  }

  /** Names that wait. */
  get depth(): number {
    return this.#waiting.size;
  }

  /** Since when each worker is busy, in seconds. */
  get unfinished(): number[] {
    const now = this.#clock.now();
    return [...this.#processing.values()].map((started) => (now - started) / 1000);
  }

  #next(): Request | undefined {
    const [first] = this.#waiting;
    if (!first) return undefined;
    const [key, { request, since }] = first;
    const now = this.#clock.now();
    this.#waiting.delete(key);
    this.#processing.set(key, now);
    this.#observer?.onTaken((now - since) / 1000);
    return request;
  }
}

function keyOf({ namespace, name }: Request): string {
  return `${namespace}/${name}`;
}
