import { createHmac, randomBytes } from 'node:crypto';
import type { Credentials } from './header.ts';

export interface VerifiedCredentials {
  /** Whether exactly these were found right a moment ago, against exactly this hash. */
  has(credentials: Credentials, hash: string): boolean;
  add(credentials: Credentials, hash: string): void;
}

export interface VerifiedCredentialsOptions {
  /** Milliseconds. */
  lifetimeMs?: number;
  /** Monotonic milliseconds. */
  now?: () => number;
}

const minute = 60_000;
const most = 1000;

/**
 * A push of an image makes dozens of requests, each with the same password; bcrypt is made to be slow (60 ms and more).
 * So what was right a moment ago is remembered. Why this gives nothing away: no password and no plain hash of one is
 * kept, but an HMAC under a key that is made at the start and never leaves the process, so that a copy of the map is worth nothing
 * without the memory beside it, where passwords of running requests are anyway. Only successes are kept: guessing costs a
 * bcrypt each time. The hash of the file is part of the key, so a changed password or a removed user is refused at once.
 */
export function createVerifiedCredentials(options: VerifiedCredentialsOptions = {}): VerifiedCredentials {
  const { lifetimeMs = 5 * minute, now = () => performance.now() } = options;
  const secret = randomBytes(32);
  const until = new Map<string, number>();

  function keyOf({ user, password }: Credentials, hash: string): string {
    return createHmac('sha256', secret)
      .update(JSON.stringify([user, password, hash]))
      .digest('base64');
  }

  return {
    has(credentials, hash) {
      const key = keyOf(credentials, hash);
      const end = until.get(key);
      if (end !== undefined && end <= now()) until.delete(key);
      return end !== undefined && end > now();
    },
    add(credentials, hash) {
      // The oldest entry comes first: a map keeps the order of insertion.
      const [oldest] = until.size >= most ? until.keys() : [];
      if (oldest !== undefined) until.delete(oldest);
      until.set(keyOf(credentials, hash), now() + lifetimeMs);
    },
  };
}
