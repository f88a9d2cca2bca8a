import { pino, type Logger } from 'pino';

export type { Logger };

export interface LoggerOptions {
  /** `error`, `warn`, `info`, `debug`, `trace` or `silent`. */
  level: string;
  /** Fields of every line, such as the program and its version. */
  fields?: Record<string, unknown>;
}

/** JSON lines on standard output, times in RFC 3339; the level by its name, as every log collector expects it. */
export function createLogger(options: LoggerOptions): Logger {
  return pino({
    level: options.level,
    base: options.fields ?? {},
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  });
}
