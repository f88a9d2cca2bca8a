import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '#shared/clock.ts';
import { parseUsage, type Usage } from './usage.ts';

/** Opens the body of `GET /debug/usage?watch=true`; rejects when there is no answer of 200. */
export type OpenUsage = (signal: AbortSignal) => Promise<Readable>;

/** The registry sends a line at least each 10 s; after three that did not come, the connection is dead. */
const silenceMs = 30_000;

/** Reads one connection to its end, and rejects when it breaks, falls silent or talks nonsense. */
export async function readUsage(
  open: OpenUsage,
  clock: Clock,
  signal: AbortSignal,
  onUsage: (usage: Usage) => void,
): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const expire = (): void => controller.abort(new Error(`the registry said nothing for ${silenceMs / 1000} s`));
  let cancel = clock.after(silenceMs, expire);
  try {
    const body = await open(controller.signal);
    controller.signal.addEventListener('abort', () => body.destroy(controller.signal.reason as Error), { once: true });
    for await (const line of createInterface({ input: body, crlfDelay: Infinity })) {
      cancel();
      cancel = clock.after(silenceMs, expire);
      if (line !== '') onUsage(parseUsage(line));
    }
    // readline ends quietly when its input breaks.
    if (body.errored) throw body.errored;
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
    controller.abort();
  }
}
