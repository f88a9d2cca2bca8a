import type { Clock } from './clock.ts';

export class DeadlineError extends Error {
  constructor(ms: number) {
    super(`no result within ${ms / 1000} s`);
    this.name = 'DeadlineError';
  }
}

/**
 * Runs `work` with a signal that aborts when `parent` does, or with a {@link DeadlineError} after `ms` milliseconds.
 * Not AbortSignal.any and AbortSignal.timeout: those keep a reference on a long-lived parent until they are collected.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const follow = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) follow();
  parent?.addEventListener('abort', follow, { once: true });
  const cancel = clock.after(ms, () => controller.abort(new DeadlineError(ms)));
  try {
    return await work(controller.signal);
  } finally {
    cancel();
    parent?.removeEventListener('abort', follow);
  }
}
