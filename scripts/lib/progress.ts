/**
 * One line per step, with its time, on standard error: standard output is for results. On a terminal the line of a
 * running step shows what it is doing; elsewhere a step that takes long says so once, so that a log is never silent.
 */
import { CommandError } from './command.ts';

const silentMs = 10_000;

/** Something that this machine lacks and that could not be got: `message` is one sentence that says what to do. */
export class Unmet extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Unmet';
  }
}

export type Report = (detail: string) => void;

/** Runs one step; what it reports is shown while it runs. Steps may run side by side. */
export async function step<T>(name: string, work: (report: Report) => Promise<T>): Promise<T> {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const reminder = setInterval(() => line(`… ${name}${detail && `: ${detail}`} (${seconds()})`), silentMs);
  let detail = '';
  if (process.stderr.isTTY) transient(`… ${name}`);
  try {
    const result = await work((text) => {
      detail = text.trim();
      if (process.stderr.isTTY) transient(`… ${name}: ${detail}`);
    });
    line(`✓ ${name} (${seconds()})`);
    return result;
  } catch (error) {
    line(`✗ ${name} (${seconds()})`);
    throw error;
  } finally {
    clearInterval(reminder);
  }
}

export function line(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\u{1b}[K${text}\n` : `${text}\n`);
}

function transient(text: string): void {
  process.stderr.write(`\r\u{1b}[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
}

/** Runs a script and sets its exit code; a failure that people can do something about is told without a stack. */
export async function runScript(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    line(`error: ${isPlain(error) ? error.message : ((error as Error).stack ?? String(error))}`);
    process.exitCode = 1;
  }
}

function isPlain(error: unknown): error is Error {
  if (error instanceof Unmet || error instanceof CommandError) return true;
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}
