export interface BackoffPolicy {
  /** Milliseconds after the first failure. */
  baseMs: number;
  /** Never longer than this. */
  maxMs: number;
}

/**
 * Milliseconds to wait after so many failures in a row (1 = the first): doubled each time, then cut by up to a half at
 * random, so that many who failed together do not come back together.
 */
export function backoffMs(policy: BackoffPolicy, failures: number, random: () => number): number {
  const exponent = Math.min(Math.max(failures - 1, 0), 30);
  const whole = Math.min(policy.maxMs, policy.baseMs * 2 ** exponent);
  return whole * (1 - random() / 2);
}
