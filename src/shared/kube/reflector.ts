import { type BackoffPolicy, backoffMs } from '#shared/backoff.ts';
import { type Clock, sleep, systemClock } from '#shared/clock.ts';
import type { Logger } from '#shared/logger.ts';
import type { ChangeHandler, Reflector } from './cache.ts';
import { failureInStream } from './failure.ts';
import {
  KubeError,
  type KubeClient,
  type KubeObject,
  type ListOptions,
  type ObjectName,
  type ResourceType,
} from './kube-client.ts';
import { createObjectStore, type ObjectStore } from './object-store.ts';
import type { KubeObserver } from './observer.ts';

export interface ReflectorOptions {
  client: KubeClient;
  type: ResourceType;
  /** Which objects; all by default. */
  list?: ListOptions;
  log: Logger;
  observer?: KubeObserver | undefined;
  clock?: Clock;
  /** Milliseconds until the handlers hear of every object again, in case that something was overlooked. */
  resyncMs?: number;
  backoff?: BackoffPolicy;
}

/** A server that is back is found within this. */
const defaultBackoff = { baseMs: 250, maxMs: 10_000 };

/** A watch that ends sooner than this, without a single event, did not go well. */
const shortWatchMs = 1000;

/** After so many failures in a row we no longer trust our resourceVersion: a server restored from a backup knows it not. */
const failuresUntilRelist = 3;

/** A server may ask for patience, but not for ever. */
const longestPauseMs = 60_000;

/**
 * List, then watch from there; whatever breaks, watch again from the last event, or list again when the server no longer
 * knows that place. Nothing is lost by a break, only late. Source of the ways to break: client-go's reflector.
 */
export function createReflector<T extends KubeObject>(options: ReflectorOptions): Reflector<T> {
  return new ListWatch<T>(options);
}

class ListWatch<T extends KubeObject> implements Reflector<T> {
  readonly what: string;
  synced = false;
  problem: string | undefined;
  readonly #options: ReflectorOptions;
  readonly #clock: Clock;
  readonly #backoff: BackoffPolicy;
  readonly #store: ObjectStore<T>;
  readonly #firstList = Promise.withResolvers<void>();
  /** Where to watch from; unset when only a list can tell. */
  #resourceVersion: string | undefined;
  #lastHeard: number;
  #failures = 0;

  constructor(options: ReflectorOptions) {
    const { type, list, log, clock = systemClock, backoff = defaultBackoff } = options;
    this.what = list?.namespace ? `${type.kind} in ${list.namespace}` : type.kind;
    this.#options = options;
    this.#clock = clock;
    this.#backoff = backoff;
    this.#store = createObjectStore<T>((err) => log.error({ err, what: this.what }, 'a change handler threw'));
    this.#lastHeard = clock.now();
  }

  get(name: ObjectName): T | undefined {
    return this.#store.get(name);
  }

  list(): T[] {
    return this.#store.list();
  }

  onChange(handler: ChangeHandler<T>): () => void {
    return this.#store.onChange(handler);
  }

  whenSynced(): Promise<void> {
    return this.#firstList.promise;
  }

  get silentMs(): number {
    return this.#clock.now() - this.#lastHeard;
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#lastHeard = this.#clock.now();
    const stopResync = every(this.#clock, this.#options.resyncMs ?? 600_000, () => this.#store.resync());
    while (!signal.aborted) {
      const started = this.#clock.now();
      try {
        await this.#watch(this.#resourceVersion ?? (await this.#relist(signal)), signal);
        this.#recovered();
      } catch (error) {
        // Long ago is another story: what breaks after a good while breaks for the first time.
        if (this.#clock.now() - started > this.#backoff.maxMs) this.#failures = 0;
        if (!signal.aborted) await sleep(this.#clock, this.#failed(error), signal);
      }
    }
    stopResync();
  }

  async #relist(signal: AbortSignal): Promise<string> {
    const { client, type, list, observer } = this.#options;
    observer?.onList(type.kind);
    const found = await client.list<T>(type, { ...list, signal });
    this.#heard(found.resourceVersion);
    this.#store.replaceAll(found.items);
    observer?.onSize(type.kind, this.#store.size);
    this.synced = true;
    this.#firstList.resolve();
    return found.resourceVersion;
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const { client, type, list, observer } = this.#options;
    observer?.onWatch(type.kind);
    const started = this.#clock.now();
    let events = 0;
    for await (const event of client.watch<T>(type, { ...list, resourceVersion: from }, signal)) {
      if (event.type === 'ERROR') throw failureInStream(`watch ${this.what}`, event.object);
      events++;
      this.#recovered();
      this.#heard(event.object.metadata.resourceVersion);
      if (event.type === 'DELETED') this.#store.delete(event.object);
      else if (event.type !== 'BOOKMARK') this.#store.put(event.object);
      observer?.onEvent(type.kind, event.type);
      observer?.onSize(type.kind, this.#store.size);
    }
    // No reason to doubt our resourceVersion, but one to slow down.
    if (events === 0 && this.#clock.now() - started < shortWatchMs) throw new Error('the watch ended at once');
  }

  #heard(resourceVersion: string | undefined): void {
    this.#lastHeard = this.#clock.now();
    this.#resourceVersion = resourceVersion;
    this.problem = undefined;
  }

  #recovered(): void {
    if (this.#failures >= failuresUntilRelist) {
      this.#options.log.info({ what: this.what, failures: this.#failures }, 'following changes again');
    }
    this.#failures = 0;
  }

  /** What a failure means for the next attempt; the milliseconds to wait before it. */
  #failed(error: unknown): number {
    const { type, log, observer } = this.#options;
    const known = error instanceof KubeError ? error : undefined;
    this.#failures++;
    this.problem = error instanceof Error ? error.message : String(error);
    if (known && (forgotten(known) || this.#failures >= failuresUntilRelist)) this.#resourceVersion = undefined;
    const patience = Math.min(known?.retryAfterMs ?? 0, longestPauseMs);
    const pauseMs = Math.max(
      patience,
      backoffMs(this.#backoff, this.#failures, () => this.#clock.random()),
    );
    observer?.onFailure(type.kind, known?.reason || 'Unknown');
    const level = this.#failures === failuresUntilRelist ? 'warn' : 'debug';
    log[level]({ err: error, what: this.what, failures: this.#failures, pauseMs }, 'list or watch broke, trying again');
    return pauseMs;
  }
}

/** The server refuses to go on from our resourceVersion: 410 Expired, and whatever else it finds wrong in our request. */
function forgotten(error: KubeError): boolean {
  return error.code >= 400 && error.code < 500 && ![401, 403, 408, 429].includes(error.code);
}

/** Calls back again and again, each time up to a tenth earlier, so that many do not do it together. */
function every(clock: Clock, ms: number, callback: () => void): () => void {
  let cancel = (): void => {};
  const next = (): void => {
    cancel = clock.after(ms * (1 - clock.random() / 10), () => {
      callback();
      next();
    });
  };
  next();
  return () => cancel();
}
