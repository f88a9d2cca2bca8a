import { isDeepStrictEqual } from 'node:util';

/**
 * Equal for the API server: the order of keys and fields that are undefined do not count. A status is written only when
 * it is not the same as before, since each write wakes everybody who watches.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b));
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
}
