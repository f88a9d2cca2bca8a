import { type Clock, sleep, systemClock } from '#shared/clock.ts';
import { withDeadline } from '#shared/deadline.ts';
import { isFailure } from '#shared/kube/failure.ts';
import type { KubeClient } from '#shared/kube/kube-client.ts';
import type { Logger } from '#shared/logger.ts';
import { heldBy, type Lease, leases } from './lease.ts';
import { sameJson } from './same-json.ts';

export interface LeaderElectionOptions {
  client: KubeClient;
  namespace: string;
  /** Of the Lease. */
  name: string;
  /** Unlike that of any other process, now or earlier: the Pod's name and something random. */
  identity: string;
  log: Logger;
  clock?: Clock;
  /** Others wait so long after they last saw the Lease change, by their own clocks. */
  durationMs?: number;
  /** We stop when we could not renew for so long; shorter than the duration, so that we are gone before another begins. */
  renewDeadlineMs?: number;
  /** Between two attempts, made longer by up to a fifth. */
  retryMs?: number;
  /** Told at each change. */
  onChange?: (leading: boolean) => void;
}

/** We led and no longer do, or no longer know: whoever worked on our word must have stopped. */
export class LeadershipLostError extends Error {
  constructor(cause: unknown) {
    super('leadership lost: the Lease could not be renewed in time', { cause });
    this.name = 'LeadershipLostError';
  }
}

/**
 * Waits for the Lease, runs `lead` while it is held, and gives it back once `lead` has ended. The signal of `lead` aborts
 * when `signal` does, and when the Lease is lost; in that case this rejects with a {@link LeadershipLostError}. Times are
 * taken from our own clock alone, never from what another wrote. Source: client-go's tools/leaderelection.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  signal: AbortSignal,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { name, identity, log, onChange } = options;
  const candidate = new Candidate(options);
  log.info({ lease: name, identity }, 'waiting for leadership');
  await candidate.acquire(signal);
  if (signal.aborted) return candidate.release();
  log.info({ lease: name, identity }, 'leading');
  onChange?.(true);
  try {
    await whileHeld(candidate, signal, lead);
  } finally {
    onChange?.(false);
  }
  // Only after a good end: work that failed to stop may still be running, and nobody else may begin then.
  await candidate.release();
}

/** Renews until `lead` has ended, also while it winds up after an abort: until then the work is ours. */
async function whileHeld(
  candidate: Candidate,
  signal: AbortSignal,
  lead: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const work = new AbortController();
  const ended = new AbortController();
  const stop = (): void => work.abort(signal.reason);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  const renewing = candidate.keep(ended.signal).catch((error: unknown) => {
    work.abort(error);
    throw error;
  });
  renewing.catch(() => {});
  try {
    await lead(work.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    ended.abort();
  }
  await renewing;
}

class Candidate {
  readonly #options: LeaderElectionOptions;
  readonly #clock: Clock;
  readonly #durationMs: number;
  readonly #renewDeadlineMs: number;
  /** The Lease as we last saw it, and when we first saw its spec so: annotating it is no sign of life. */
  #seen: { lease: Lease; at: number } | undefined;
  /** Whether the Lease may be ours: also of an attempt that was cut off we can't know that the server did not take it. */
  #mayHold = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#durationMs = options.durationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
  }

  /** Returns when the Lease is ours, or `signal` aborted. */
  async acquire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const attempt = withDeadline(this.#clock, this.#renewDeadlineMs, signal, (signal) => this.#attempt(signal));
      if (await attempt.catch((error: unknown) => this.#failed(error, signal))) return;
      await this.#pause(signal);
    }
  }

  /** Renews until `signal` aborts; rejects when that failed for too long, or another took the Lease. */
  async keep(signal: AbortSignal): Promise<void> {
    let renewed = this.#clock.now();
    let last: unknown;
    for (;;) {
      await this.#pause(signal);
      if (signal.aborted) return;
      const leftMs = renewed + this.#renewDeadlineMs - this.#clock.now();
      const started = this.#clock.now();
      try {
        if (leftMs <= 0) throw new LeadershipLostError(last);
        if (!(await withDeadline(this.#clock, leftMs, signal, (signal) => this.#attempt(signal)))) {
          throw new LeadershipLostError(new Error(`${this.#seen?.lease.spec?.holderIdentity} holds it`));
        }
        renewed = started;
      } catch (error) {
        if (error instanceof LeadershipLostError) throw error;
        last = error;
        this.#failed(error, signal);
      }
    }
  }

  /** Lets the next one begin at once. Failing that, they wait for the Lease to run out. */
  async release(): Promise<void> {
    if (!this.#mayHold) return;
    try {
      await withDeadline(this.#clock, 2000, undefined, (signal) => this.#giveBack(signal));
    } catch (err) {
      this.#options.log.warn({ err }, 'the Lease could not be released');
    }
  }

  /** Reads it first: the end may have cut off a renewal that the server took. One that is still on its way means a 409. */
  async #giveBack(signal: AbortSignal): Promise<void> {
    const { client, namespace, name, identity } = this.#options;
    for (;;) {
      const lease = await client.get<Lease>(leases, { namespace, name }, { signal });
      if (lease?.spec?.holderIdentity !== identity) return;
      const spec = { ...heldBy(identity, 1000, this.#clock.date(), lease.spec), holderIdentity: '' };
      try {
        await client.replace<Lease>(leases, { ...lease, spec } as Lease, { signal });
        return;
      } catch (error) {
        if (!isFailure(error, 409)) throw error;
      }
    }
  }

  /** True when we hold the Lease now, false when another does. The server lets one writer of several win (409 for the rest). */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { client, namespace, name, identity } = this.#options;
    const lease = await client.get<Lease>(leases, { namespace, name }, { signal });
    if (lease) this.#see(lease);
    if (lease && this.#heldByAnother(lease)) return false;
    const spec = heldBy(identity, this.#durationMs, this.#clock.date(), lease?.spec);
    const { apiVersion, kind } = leases;
    this.#mayHold = true;
    const wanted: Lease = { apiVersion, kind, metadata: lease?.metadata ?? { name, namespace }, spec };
    const written = lease
      ? await client.replace<Lease>(leases, wanted, { signal })
      : await client.create<Lease>(leases, wanted, { signal });
    this.#see(written);
    return true;
  }

  #see(lease: Lease): void {
    const same = this.#seen !== undefined && sameJson(this.#seen.lease.spec, lease.spec);
    this.#seen = { lease, at: same && this.#seen ? this.#seen.at : this.#clock.now() };
  }

  #heldByAnother({ spec }: Lease): boolean {
    if (!spec?.holderIdentity || spec.holderIdentity === this.#options.identity) return false;
    const durationMs = spec.leaseDurationSeconds === undefined ? this.#durationMs : spec.leaseDurationSeconds * 1000;
    return this.#seen !== undefined && this.#clock.now() < this.#seen.at + durationMs;
  }

  #failed(err: unknown, signal: AbortSignal): false {
    // 409: another wrote in between; the next attempt sees what.
    const level = isFailure(err, 409) ? 'debug' : 'warn';
    if (!signal.aborted) this.#options.log[level]({ err }, 'the Lease could not be read or written');
    return false;
  }

  #pause(signal: AbortSignal): Promise<void> {
    return sleep(this.#clock, (this.#options.retryMs ?? 2000) * (1 + this.#clock.random() / 5), signal);
  }
}
