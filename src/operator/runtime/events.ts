import { createHash, randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '#shared/clock.ts';
import { isFailure } from '#shared/kube/failure.ts';
import type { KubeClient, KubeObject, ResourceType } from '#shared/kube/kube-client.ts';
import type { Logger } from '#shared/logger.ts';
import { microTime } from './lease.ts';
import { createTokenBucket, type TokenBucket } from './token-bucket.ts';

export interface EventContent {
  type: 'Normal' | 'Warning';
  /** Why, in CamelCase: `NodePortTaken`. At most 128 characters. */
  reason: string;
  /** What was done or attempted, in CamelCase: `Reconcile`. At most 128 characters. */
  action: string;
  /** For people. Cut at 1024 bytes, which is all that the API server takes. */
  note: string;
}

export interface EventRecorder {
  /** Tells of `about`, in the background. Never throws; what cannot be sent is logged and lost. */
  record(about: KubeObject, content: EventContent): void;
  /** Resolves when all that was recorded so far has been sent or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  client: KubeClient;
  /** Who tells: `registry-operator.dev/operator`. */
  controller: string;
  /** Which of several processes: the Pod's name. */
  instance: string;
  log: Logger;
  clock?: Clock;
}

interface Event extends KubeObject {
  eventTime: string;
  reportingController: string;
  reportingInstance: string;
  action: string;
  reason: string;
  regarding: object;
  note: string;
  type: string;
  series?: EventSeries;
}

interface EventSeries {
  count: number;
  lastObservedTime: string;
}

const events: ResourceType = { apiVersion: 'events.k8s.io/v1', kind: 'Event', plural: 'events', namespaced: true };

/** The same thing told again within this time is the same series, as in client-go. */
const seriesMs = 360_000;
/** A series that goes on is written again at most this often. */
const refreshMs = 60_000;
/** Per object: enough for everything that goes wrong at once, and then one in half a minute. */
const bucket = { burst: 25, perSecond: 1 / 30 };
const noteBytes = 1024;

interface Series {
  /** Key of the object that it is about. */
  about: string;
  event: Event;
  count: number;
  lastSeen: number;
  lastWritten: number;
}

/**
 * Writes events.k8s.io/v1 Events. Equal ones become one Event with a count; an object that is told of too often is told of
 * no more for a while. Source: client-go's tools/events.
 */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #clock: Clock;
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, TokenBucket>();
  /** One write after the other, so that a series is begun before it is continued. */
  #sending: Promise<void> = Promise.resolve();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  record(about: KubeObject, content: EventContent): void {
    const now = this.#clock.now();
    this.#forgetOld(now);
    const key = `${keyOf(about)} ${digestOf(content)}`;
    const known = this.#series.get(key);
    if (!known) {
      const object = keyOf(about);
      if (!this.#mayTell(object)) return;
      const event = this.#eventOf(about, content);
      const series = { about: object, event, count: 1, lastSeen: now, lastWritten: now };
      this.#series.set(key, series);
      this.#send(() => this.#options.client.create(events, series.event));
      return;
    }
    known.count++;
    known.lastSeen = now;
    // The second one at once, so that people see that it goes on.
    if (known.count > 2 && now - known.lastWritten < refreshMs) return;
    known.lastWritten = now;
    this.#send(() => this.#continue(known));
  }

  flush(): Promise<void> {
    return this.#sending;
  }

  async #continue(series: Series): Promise<void> {
    const { client } = this.#options;
    const { metadata } = series.event;
    const body = { series: { count: series.count, lastObservedTime: microTime(this.#clock.date()) } };
    try {
      await client.patch(events, { namespace: metadata.namespace ?? '', name: metadata.name }, body);
    } catch (error) {
      // The server keeps Events for an hour.
      if (!isFailure(error, 404)) throw error;
      await client.create(events, { ...series.event, ...body });
    }
  }

  #send(write: () => Promise<unknown>): void {
    this.#sending = this.#after(this.#sending, write);
  }

  async #after(previous: Promise<void>, write: () => Promise<unknown>): Promise<void> {
    await previous;
    try {
      await write();
    } catch (err) {
      this.#options.log.warn({ err }, 'an event could not be written');
    }
  }

  #mayTell(object: string): boolean {
    let own = this.#buckets.get(object);
    if (!own) this.#buckets.set(object, (own = createTokenBucket(bucket, () => this.#clock.now())));
    return own.tryTake();
  }

  /** Keeps memory bounded: what has not been told of for a while starts afresh. */
  #forgetOld(now: number): void {
    const old = [...this.#series].filter(([, series]) => now - series.lastSeen > seriesMs);
    if (old.length === 0) return;
    for (const [key] of old) this.#series.delete(key);
    const objects = new Set([...this.#series.values()].map(({ about }) => about));
    for (const object of this.#buckets.keys()) if (!objects.has(object)) this.#buckets.delete(object);
  }

  #eventOf(about: KubeObject, { type, reason, action, note }: EventContent): Event {
    const { name, namespace, uid, resourceVersion } = about.metadata;
    const { controller, instance } = this.#options;
    return {
      apiVersion: events.apiVersion,
      kind: events.kind,
      metadata: { name: eventName(name), namespace: namespace ?? 'default' },
      eventTime: microTime(this.#clock.date()),
      reportingController: controller,
      reportingInstance: instance,
      action,
      reason,
      regarding: { apiVersion: about.apiVersion, kind: about.kind, name, namespace, uid, resourceVersion },
      note: cut(note, noteBytes),
      type,
    };
  }
}

/** As client-go: the object's name, and something that no other Event has. */
function eventName(object: string): string {
  return `${object.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.namespace}/${metadata.name}/${metadata.uid}`;
}

function digestOf({ type, reason, action, note }: EventContent): string {
  return createHash('sha256')
    .update(JSON.stringify([type, reason, action, note]))
    .digest('base64');
}

/** At most so many bytes of UTF-8, never through the middle of a character. */
function cut(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  const dots = '...';
  const kept = whole.subarray(0, bytes - dots.length).toString('utf8');
  return kept.replace(/\uFFFD$/, '') + dots;
}
