import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface CommandOptions {
  /** Beside the environment of this process, which every command gets. */
  env?: Record<string, string>;
  cwd?: string;
  /** Standard input. */
  input?: string;
  /** Milliseconds until the command is ended. */
  timeoutMs?: number;
  /** Called with each line that the command prints, from both of its outputs. */
  onLine?: (line: string) => void;
}

/** A command that could not be started, failed or was ended; `message` says which and closes with its last lines. */
export class CommandError extends Error {
  /** `undefined` when it did not start or was ended by a signal. */
  readonly code: number | undefined;
  readonly output: string;

  constructor(command: string, how: string, options: { code: number | undefined; output: string; cause?: unknown }) {
    const tail = options.output.trim().split('\n').slice(-20).join('\n');
    super(
      `${command}: ${how}${tail && `\n${tail}`}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'CommandError';
    this.code = options.code;
    this.output = options.output;
  }
}

/** Runs a command to its end and gives its standard output, trimmed; rejects with a {@link CommandError}. */
export function run(command: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const name = [command, ...args.slice(0, 3)].join(' ');
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    // spawn's own timeout goes on, and keeps the process alive, when the program could not be started.
    const timer =
      options.timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
    let stdout = '';
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        output += `${line}\n`;
        if (stream === child.stdout) stdout += `${line}\n`;
        options.onLine?.(line);
      });
    }
    const fail = (how: string, code?: number | null, cause?: unknown): void =>
      reject(new CommandError(name, how, { code: code ?? undefined, output, cause }));
    child.once('error', (cause) => {
      clearTimeout(timer);
      fail('cannot be started', undefined, cause);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(stdout.trim());
      else fail(signal ? `ended by ${signal}` : `exit code ${code}`, code);
    });
    child.stdin?.on('error', () => {}).end(options.input);
  });
}

/** Whether a command ends with exit code 0. */
export async function succeeds(command: string, args: string[], options: CommandOptions = {}): Promise<boolean> {
  try {
    await run(command, args, options);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}
