/**
 * Distribution's way to try again: at once, until `threshold` tries in a row have failed, and then one try after each
 * `backoff`, for ever. Source: docker/go-events, retry.go, Breaker.
 */
export interface Breaker {
  /** Milliseconds until the next try may be made. */
  delay(): number;
  succeeded(): void;
  failed(): void;
}

export interface BreakerOptions {
  threshold: number;
  /** Milliseconds. */
  backoffMs: number;
  /** Monotonic milliseconds. */
  now?: () => number;
}

export function createBreaker({ threshold, backoffMs, now = () => performance.now() }: BreakerOptions): Breaker {
  let failures = 0;
  let last = 0;
  return {
    delay: () => (failures < threshold ? 0 : Math.max(0, last + backoffMs - now())),
    succeeded() {
      failures = 0;
    },
    failed() {
      failures++;
      last = now();
    },
  };
}
