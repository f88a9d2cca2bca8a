export interface TokenBucket {
  /** Takes one token and tells in how many milliseconds it may be used: 0 while there are some. */
  reserve(): number;
  /** Takes one token when there is one now. */
  tryTake(): boolean;
}

export interface BucketOptions {
  perSecond: number;
  burst: number;
}

/** `now` in milliseconds. */
export function createTokenBucket({ perSecond, burst }: BucketOptions, now: () => number): TokenBucket {
  let tokens = burst;
  let updated = now();
  const refill = (): void => {
    const time = now();
    tokens = Math.min(burst, tokens + ((time - updated) / 1000) * perSecond);
    updated = time;
  };
  return {
    reserve() {
      refill();
      tokens -= 1;
      return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000;
    },
    tryTake() {
      refill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}
