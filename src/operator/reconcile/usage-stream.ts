import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '#shared/clock.ts';
import { parseUsage, type Usage } from '#shared/usage.ts';

/** Opens the body of `GET /debug/usage?watch=true`; rejects when there is no answer of 200. */
export type OpenUsage = (signal: AbortSignal) => Promise<Readable>;

/** Until the answer begins: a Service without Pods, or one behind a NetworkPolicy, swallows connections without a word. */
const answerMs = 5000;

/** The registry sends a line at least each 10 s. */
const silenceMs = 15_000;

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
  const expire = (ms: number) =>
    clock.after(ms, () => controller.abort(new Error(`nothing was heard for ${ms / 1000} s`)));
  let cancel = expire(answerMs);
  try {
    const body = await open(controller.signal);
    controller.signal.addEventListener('abort', () => body.destroy(controller.signal.reason as Error), { once: true });
    for await (const line of createInterface({ input: body, crlfDelay: Infinity })) {
      cancel();
      cancel = expire(silenceMs);
      if (line !== '') onUsage(parseUsage(line));
    }
    // readline ends quietly when its input breaks.
    if (body.errored) throw body.errored;
  } catch (error) {
    // Whoever was aborted says only that it was.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
    controller.abort();
  }
}
