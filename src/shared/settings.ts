import { parseArgs } from 'node:util';
import { parseDuration } from './duration.ts';

/** One setting of a program: its flag, its environment variable, its default and its meaning, all in one place. */
export interface Setting<T> {
  flag: string;
  env: string;
  help: string;
  /** Text of the default value; a setting without one must be given. */
  default?: string;
  /** Throws an Error whose message says what a good value looks like. */
  parse: (text: string) => T;
}

type Values<S> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

// eslint-disable-next-line typescript/no-explicit-any -- the type of each value is read off the table itself
export type Settings = Record<string, Setting<any>>;

/** A problem with the command line or the environment: the program prints `message` and ends with `exitCode`. */
export class SettingsError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 2) {
    super(message);
    this.name = 'SettingsError';
    this.exitCode = exitCode;
  }
}

/**
 * Reads every setting once: flag before environment before default. Throws one {@link SettingsError} that lists all
 * the problems; `--help` throws one with the manual and exit code 0.
 */
export function readSettings<S extends Settings>(
  program: string,
  settings: S,
  argv: string[],
  env: NodeJS.ProcessEnv,
): Values<S> {
  const flags = readFlags(program, settings, argv);
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(settings)) {
    const text = flags[setting.flag] ?? env[setting.env] ?? setting.default;
    if (text === undefined) {
      problems.push(`--${setting.flag} (${setting.env}) is required: ${setting.help}`);
      continue;
    }
    try {
      values[name] = setting.parse(text);
    } catch (error) {
      problems.push(`--${setting.flag} (${setting.env}) is "${text}": ${(error as Error).message}`);
    }
  }
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return values as Values<S>;
}

function readFlags(program: string, settings: Settings, argv: string[]): Record<string, string> {
  const options = Object.fromEntries(Object.values(settings).map((s) => [s.flag, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({ args: argv, options: { ...options, help: { type: 'boolean', short: 'h' } } });
    if (values['help']) throw new SettingsError(manual(program, settings), 0);
    return values as Record<string, string>;
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw new SettingsError(`${(error as Error).message}\n${manual(program, settings)}`);
  }
}

function manual(program: string, settings: Settings): string {
  const lines = Object.values(settings).map((setting) => {
    const fallback = setting.default === undefined ? 'required' : `default "${setting.default}"`;
    return `  --${setting.flag}  (${setting.env}, ${fallback})\n      ${setting.help}`;
  });
  return [`Usage: ${program} [flags]`, ...lines].join('\n');
}

export const text = (value: string): string => value;

export function oneOf<const T extends string>(...allowed: T[]): (value: string) => T {
  return (value) => {
    if ((allowed as string[]).includes(value)) return value as T;
    throw new Error(`expected one of ${allowed.join(', ')}`);
  };
}

export function boolean(value: string): boolean {
  if (value === 'true') return true;
  if (value === 'false') return false;
  throw new Error('expected true or false');
}

export function integer(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error('expected a whole number');
  return number;
}

/** Milliseconds. */
export function duration(value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined || ms < 0) throw new Error('expected a duration such as 60s');
  return ms;
}

/** Names separated by commas. */
export function names(value: string): string[] {
  return value
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** What every program logs, by one flag. */
export const logLevel = {
  flag: 'log-level',
  env: 'LOG_LEVEL',
  default: 'info',
  help: 'error, warn, info, debug, trace or silent.',
  parse: oneOf('error', 'warn', 'info', 'debug', 'trace', 'silent'),
};

export interface ListenAddress {
  /** Empty: every address of the machine. */
  host: string;
  port: number;
}

/** `host:port`, `:port` or `[::1]:port`, as Go programs take it. */
export function listenAddress(value: string): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new Error('expected host:port or :port');
  return { host: match[1] ?? match[2] ?? '', port };
}
