import { Worker } from 'node:worker_threads';
import { RegistryError } from '#registry/oci/errors.ts';
import { workerUrl } from '#shared/worker-url.ts';
import type { Comparison, Verdict } from './bcrypt-worker.ts';

/** Whether the password is the one of the bcrypt hash. Rejects with TOOMANYREQUESTS when too many are waiting. */
export type ComparePassword = (password: string, hash: string) => Promise<boolean>;

/** Comparisons that may wait: at a cost of 10, some seconds of work. Who guesses passwords must not make others wait for minutes. */
const longestQueue = 100;

/**
 * Compares one after the other in a thread of its own, which starts with the first one and does not keep the process. Neither
 * on the event loop (60 ms each) nor in Node's pool, as a native module would: blobs are read and written by that pool.
 */
export function createBcryptThread(): ComparePassword {
  const waiting = new Map<number, PromiseWithResolvers<boolean>>();
  let worker: Worker | undefined;
  let sequence = 0;

  function fail(error: Error): void {
    worker = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  function start(): Worker {
    const started = new Worker(workerUrl('registry/auth/bcrypt-worker'));
    started.on('message', ({ id, matches }: Verdict) => {
      waiting.get(id)?.resolve(matches);
      waiting.delete(id);
    });
    started.on('error', fail);
    started.unref();
    return started;
  }

  return async (password, hash) => {
    if (waiting.size >= longestQueue) {
      const message = 'too many logins are being checked; try again';
      throw new RegistryError('TOOMANYREQUESTS', { message, headers: { 'Retry-After': '5' } });
    }
    worker ??= start();
    const verdict = Promise.withResolvers<boolean>();
    const id = sequence++;
    waiting.set(id, verdict);
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage({ id, password, hash } satisfies Comparison);
    return verdict.promise;
  };
}
