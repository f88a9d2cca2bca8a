import type { Clock } from '#shared/clock.ts';
import { DeadlineError, withDeadline } from '#shared/deadline.ts';
import { readText } from './body.ts';
import { noAnswer } from './failure.ts';
import type { CallOptions } from './kube-client.ts';
import type { Transport, TransportRequest } from './transport.ts';
import type { Readable } from 'node:stream';

export interface CallDependencies {
  transport: Transport;
  clock: Clock;
  /** Milliseconds for a whole request; for a stream, until it begins. */
  timeoutMs: number;
}

export type Call = <T>(request: Omit<TransportRequest, 'signal'> & CallOptions) => Promise<T>;

/** One request, JSON to JSON. */
export function createCall({ transport, clock, timeoutMs }: CallDependencies): Call {
  return <T>(request: Omit<TransportRequest, 'signal'> & CallOptions) =>
    withDeadline(clock, timeoutMs, request.signal, async (signal) => {
      const response = await transport({ ...request, signal });
      try {
        return JSON.parse(await readText(response)) as T;
      } catch (cause) {
        throw noAnswer(`${request.method} ${request.path}`, signal.aborted ? signal.reason : cause);
      }
    });
}

/** A body without an end in sight; `signal` ends it at any time. */
export async function openStream(
  { transport, clock, timeoutMs }: CallDependencies,
  path: string,
  signal: AbortSignal,
): Promise<Readable> {
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal.reason);
  const unfollow = (): void => signal.removeEventListener('abort', follow);
  if (signal.aborted) follow();
  signal.addEventListener('abort', follow, { once: true });
  const cancel = clock.after(timeoutMs, () => controller.abort(new DeadlineError(timeoutMs)));
  try {
    const response = await transport({ method: 'GET', path, signal: controller.signal });
    return response.once('close', unfollow);
  } catch (error) {
    unfollow();
    throw error;
  } finally {
    cancel();
  }
}
