/** The thread of bcrypt-thread.ts. */
import { parentPort } from 'node:worker_threads';
import { compareSync } from 'bcryptjs';

export interface Comparison {
  id: number;
  password: string;
  hash: string;
}

export interface Verdict {
  id: number;
  matches: boolean;
}

/** A hash that is no bcrypt hash matches nothing. */
function matches(password: string, hash: string): boolean {
  try {
    return compareSync(password, hash);
  } catch {
    return false;
  }
}

parentPort?.on('message', ({ id, password, hash }: Comparison) => {
  // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage({ id, matches: matches(password, hash) } satisfies Verdict);
});
