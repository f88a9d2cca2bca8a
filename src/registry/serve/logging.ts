/** The log as `log.formatter` asks for it: JSON as logrus writes it, its text form, or logstash's fields. */
import { pino, type DestinationStream, type LoggerOptions } from 'pino';
import type { Configuration } from '#registry/config/schema.ts';
import type { Logger } from '#shared/logger.ts';

export type LogOptions = Pick<Configuration['log'], 'formatter' | 'fields'> & { level: string };

export function createRegistryLogger(
  { level, formatter, fields }: LogOptions,
  destination?: DestinationStream,
): Logger {
  const options: LoggerOptions = {
    level,
    base: fields,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  };
  const out = destination ?? pino.destination(1);
  if (formatter === 'json') return pino(options, out);
  if (formatter === 'text') return pino(options, { write: (line) => out.write(textLine(line)) });
  const timestamp = () => `,"@timestamp":"${new Date().toISOString()}"`;
  return pino({ ...options, base: { '@version': '1', ...fields }, messageKey: 'message', timestamp }, out);
}

/** `time="..." level=info msg="..." key=value`: values are quoted only where they need it. */
function textLine(json: string): string {
  const { time, level, msg, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const first = Object.entries({ time, level, msg: msg ?? '' });
  return `${[...first, ...Object.entries(rest)].map(([key, value]) => `${key}=${textValue(value)}`).join(' ')}\n`;
}

function textValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return /^[A-Za-z0-9._/@^+-]+$/.test(text) ? text : JSON.stringify(text);
}
