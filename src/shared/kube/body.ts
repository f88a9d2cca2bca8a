import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '#shared/clock.ts';

export async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Nothing came for so long that the connection must be dead, whatever TCP believes. */
export class SilenceError extends Error {
  constructor(ms: number) {
    super(`nothing heard for ${ms / 1000} s`);
    this.name = 'SilenceError';
  }
}

/**
 * The whole lines of a stream, for as long as something arrives every `silenceMs` milliseconds. A last line without an
 * end was cut and is left out.
 */
export async function* readLines(stream: Readable, clock: Clock, silenceMs: number): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let pending: string[] = [];
  const arm = (): (() => void) => clock.after(silenceMs, () => stream.destroy(new SilenceError(silenceMs)));
  let disarm = arm();
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      disarm();
      const [first = '', ...others] = decoder.write(chunk).split('\n');
      pending.push(first);
      for (const next of others) {
        yield pending.join('');
        pending = [next];
      }
      disarm = arm();
    }
  } finally {
    disarm();
    stream.destroy();
  }
}
