/**
 * The building blocks of the configuration's table. Scalars reach them as the text that stands in the file: the table,
 * not YAML's guess, decides what is a number or a boolean, as Go's decoder does for distribution.
 */
import { parseDuration } from '#shared/duration.ts';

export interface Scalar<T> {
  kind: 'scalar';
  /** The value when the key is absent or empty. */
  fallback: T;
  /** Throws an Error that says what a good value looks like. */
  parse: (text: string) => T;
}

export interface Section<K extends Keys> {
  kind: 'section';
  keys: K;
  /** `storage: filesystem` for `storage: {filesystem: {}}`. */
  shorthand: boolean;
  /** Where distribution has a free map, a variable of the environment can bring a key that is not in the table. */
  open: boolean;
}

/** A section whose presence says something: a storage driver, a kind of authentication. */
export interface Optional<K extends Keys> {
  kind: 'optional';
  section: Section<K>;
}

export interface List<S extends Field> {
  kind: 'list';
  of: S;
}

export interface Dictionary<S extends Field> {
  kind: 'dictionary';
  of: S;
}

/** A part of distribution's configuration that this registry does not have: a start with it is refused. */
export interface Unsupported {
  kind: 'unsupported';
  /** What the user misses, in a few words. */
  what: string;
  /** The keys that distribution knows there: only variables of the environment that name one of them are ours. */
  keys: string[];
}

// eslint-disable-next-line typescript/no-explicit-any -- the types of the values are read off the table itself
export type Field = Scalar<any> | Section<any> | Optional<any> | List<any> | Dictionary<any> | Unsupported;
export type Keys = Record<string, Field>;

/** The type of what a table reads. */
export type Value<S> =
  S extends Scalar<infer T>
    ? T
    : S extends Section<infer K>
      ? { [P in keyof K as K[P] extends Unsupported ? never : P]: Value<K[P]> }
      : S extends Optional<infer K>
        ? Value<Section<K>> | undefined
        : S extends List<infer I>
          ? Value<I>[]
          : S extends Dictionary<infer I>
            ? Record<string, Value<I>>
            : never;

export function section<K extends Keys>(keys: K): Section<K> {
  return { kind: 'section', keys, shorthand: false, open: false };
}

/** A section that is a map of parameters in distribution (`storage`, `auth` and what stands below them). */
export function parameters<K extends Keys>(keys: K): Section<K> {
  return { kind: 'section', keys, shorthand: false, open: true };
}

/** Parameters of which one key can be chosen by its name alone. */
export function choice<K extends Keys>(keys: K): Section<K> {
  return { kind: 'section', keys, shorthand: true, open: true };
}

export function optional<K extends Keys>(of: Section<K>): Optional<K> {
  return { kind: 'optional', section: of };
}

export function list<S extends Field>(of: S): List<S> {
  return { kind: 'list', of };
}

export function dictionary<S extends Field>(of: S): Dictionary<S> {
  return { kind: 'dictionary', of };
}

export function unsupported(what: string, ...keys: string[]): Unsupported {
  return { kind: 'unsupported', what, keys };
}

export function text(fallback = ''): Scalar<string> {
  return { kind: 'scalar', fallback, parse: (value) => value };
}

const yes = new Set(['true', 'yes', 'on', 'y']);
const no = new Set(['false', 'no', 'off', 'n']);

/** YAML 1.1's booleans, which distribution's decoder takes. */
export function flag(fallback = false): Scalar<boolean> {
  return {
    kind: 'scalar',
    fallback,
    parse(value) {
      const word = value.toLowerCase();
      if (yes.has(word)) return true;
      if (no.has(word)) return false;
      throw new Error('expected true or false');
    },
  };
}

export function whole(fallback: number, minimum = 0): Scalar<number> {
  return {
    kind: 'scalar',
    fallback,
    parse(value) {
      const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
      if (!Number.isSafeInteger(number)) throw new Error('expected a whole number');
      if (number < minimum) throw new Error(`expected ${minimum} or more`);
      return number;
    },
  };
}

/** A limit: 0 stands for the default, as in distribution. */
export function limit(fallback: number): Scalar<number> {
  const { parse } = whole(fallback);
  return { kind: 'scalar', fallback, parse: (value) => parse(value) || fallback };
}

/** Milliseconds; a bare number is nanoseconds, as a Go duration is. */
export function duration(fallbackMs: number): Scalar<number> {
  return {
    kind: 'scalar',
    fallback: fallbackMs,
    parse(value) {
      const ms = /^\d+$/.test(value) ? Number(value) / 1e6 : parseDuration(value);
      if (ms === undefined || ms < 0) throw new Error('expected a duration such as 10s, 5m or 168h');
      return ms;
    },
  };
}

/** Milliseconds; a longer timer Node runs at once. */
const longestTimer = 2 ** 31 - 1;

/** Milliseconds between two turns of something, 24 days at most; 0 stands for the default, as in distribution. */
export function interval(fallbackMs: number): Scalar<number> {
  const { parse } = duration(fallbackMs);
  return {
    kind: 'scalar',
    fallback: fallbackMs,
    parse: (value) => Math.min(parse(value) || fallbackMs, longestTimer),
  };
}

const units: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9, ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30 };

/** Bytes: a number, or one with a unit (4Mi, 512k), as Kubernetes writes quantities. */
export function bytes(fallback: number, maximum = Number.MAX_SAFE_INTEGER): Scalar<number> {
  return {
    kind: 'scalar',
    fallback,
    parse(value) {
      const match = /^(\d+)\s*([kmg]i?|)b?$/i.exec(value);
      const size = Number(match?.[1]) * (units[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN);
      if (!Number.isSafeInteger(size)) throw new Error('expected a number of bytes such as 4194304 or 4Mi');
      if (size > maximum) throw new Error(`expected ${maximum} or less`);
      return size;
    },
  };
}

/** Words are compared without case and read in lower case. */
export function word<const T extends string>(fallback: NoInfer<T>, ...allowed: T[]): Scalar<T> {
  return {
    kind: 'scalar',
    fallback,
    parse(value) {
      const found = allowed.find((candidate) => candidate === value.toLowerCase());
      if (found === undefined) throw new Error(`expected one of ${allowed.filter(Boolean).join(', ')}`);
      return found;
    },
  };
}

export function pattern(): Scalar<RegExp> {
  return {
    kind: 'scalar',
    fallback: /(?:)/,
    parse(value) {
      try {
        return new RegExp(value, 'u');
      } catch (error) {
        throw new Error(`expected a regular expression: ${(error as Error).message}`, { cause: error });
      }
    },
  };
}
