/** How much the registry holds, and each change of it: how the operator learns of pushes. */
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Catalog } from '#registry/catalog/catalog.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import { serializeUsage } from '#shared/usage.ts';

export interface UsageSource {
  catalog: Catalog;
  store: RegistryStore;
}

/** One line of `GET /debug/usage`. */
export async function usageLine({ catalog, store }: UsageSource): Promise<string> {
  return serializeUsage({ ...catalog.usage(), volume: (await store.space()) ?? null });
}

export interface FeedTimes {
  /** At most one line within this time, so that a storm of pushes is one line. */
  quietMs: number;
  /** At least one line within this time, so that a reader knows that the connection lives. */
  heartbeatMs: number;
}

export const feedTimes: FeedTimes = { quietMs: 100, heartbeatMs: 10_000 };

/** Writes a line at once, after changes, and as a heartbeat, until the reader goes away or the response is ended. */
export async function feedUsage(
  { catalog, store }: UsageSource,
  response: ServerResponse,
  times = feedTimes,
): Promise<void> {
  const over = new AbortController();
  response.once('close', () => over.abort());
  let changed = Promise.withResolvers<void>();
  const stop = catalog.onChange(() => changed.resolve());
  try {
    while (!response.destroyed && !response.writableEnded) {
      changed = Promise.withResolvers<void>();
      const line = await usageLine({ catalog, store });
      // A reader that does not read gets no more until it does: each line says all, so that none is missed.
      if (!response.writableNeedDrain && !response.writableEnded) response.write(line);
      await wait(times.quietMs, over.signal);
      await Promise.race([changed.promise, wait(times.heartbeatMs - times.quietMs, over.signal)]);
    }
  } finally {
    stop();
    response.end();
  }
}

/** Resolves when the time is up or the signal aborted. */
async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
