import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is true; a failed question counts as a no, and the last failure is the cause of the rejection. */
export async function waitFor(timeoutMs: number, ask: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      if (await ask()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s`, { cause });
    await delay(300);
  }
}
