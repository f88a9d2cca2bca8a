import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

interface Scope {
  after(hook: () => void | Promise<void>): void;
}

export interface ServerProcessOptions {
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Rejects until the program does its work; asked again and again after each start. */
  ready: () => Promise<void>;
}

/** A program that runs beside the test, can be killed and started again, and ends with the test. */
export interface ServerProcess {
  pid(): number;
  /** The end of what it wrote to both of its outputs. */
  output(): string;
  /** Resolves when the process is gone, with its exit code or the name of the signal. */
  kill(signal: NodeJS.Signals): Promise<number | string>;
  /** Resolves when it is ready again. The process must have ended. */
  start(): Promise<void>;
}

const startTimeout = 30_000;
const outputLimit = 256 * 1024;

/** Starts the program and waits until it is ready; rejects with its output when it ends or stays silent. */
export async function startServerProcess(scope: Scope, options: ServerProcessOptions): Promise<ServerProcess> {
  let running: ChildProcess | undefined;
  let output = '';
  const keep = (chunk: string) => {
    output = (output + chunk).slice(-outputLimit);
  };

  async function start(): Promise<void> {
    const child = spawn(options.command, options.args, {
      env: { ...process.env, ...options.env },
      cwd: options.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running = child;
    child.on('error', (error) => keep(String(error)));
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    await untilReady(child);
  }

  async function untilReady(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + startTimeout;
    for (;;) {
      const failure = await options.ready().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) return;
      if (hasEnded(child) || performance.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${options.command} does not answer:\n${output}`, { cause: failure });
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async function kill(signal: NodeJS.Signals): Promise<number | string> {
    const child = running;
    if (!child) throw new Error('not running');
    if (!hasEnded(child)) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return child.exitCode ?? child.signalCode ?? 'unknown';
  }

  scope.after(async () => {
    if (running) await kill('SIGKILL');
  });
  await start();
  return {
    pid: () => running?.pid ?? 0,
    output: () => output,
    kill,
    start,
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}
