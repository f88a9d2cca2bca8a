import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServerProcessOptions {
  command: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  /** Rejects until the program does its work; asked again and again after each start. */
  ready: () => Promise<void>;
}

/** A server that can be killed and started again, under the same command line. */
export interface ServerProcess {
  pid: () => number;
  /** The end of what it wrote to both of its outputs. */
  output(): string;
  /** Resolves when the process is gone, with its exit code or the name of the signal. */
  kill(signal: NodeJS.Signals): Promise<number | string>;
  /** Resolves when it is ready again. The process must have ended. */
  start(): Promise<void>;
}

const startTimeout = 30_000;
const outputLimit = 256 * 1024;

/**
 * Becomes the server, after leaving a watcher behind that kills it when our end of its standard input closes: a test run
 * that is cut off leaves no server running.
 */
const guard = 'exec 3<&0; (cat <&3 >/dev/null; kill -9 $$ 2>/dev/null) & exec "$@" 3<&- </dev/null';

/** Starts the program and waits until it is ready; rejects with its output when it ends or stays silent. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  let running: ChildProcess | undefined;
  let output = '';
  const keep = (chunk: string) => {
    output = (output + chunk).slice(-outputLimit);
  };

  async function start(): Promise<void> {
    const child = spawn('/bin/sh', ['-c', guard, 'sh', options.command, ...options.args], {
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running = child;
    child.stdin.on('error', () => {});
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    await untilReady(child);
  }

  async function untilReady(child: ChildProcess): Promise<void> {
    const started = performance.now();
    for (;;) {
      const failure = await options.ready().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (failure === undefined) return;
      if (hasEnded(child) || performance.now() - started > startTimeout) {
        await end(child, 'SIGKILL');
        throw new Error(`${options.command} does not answer:\n${output}`, { cause: failure });
      }
      // Within a fiftieth of the time that it takes; whoever asks all the time takes the processor from what is starting.
      await delay((performance.now() - started) / 50);
    }
  }

  await start();
  return {
    pid: () => running?.pid ?? 0,
    output: () => output,
    kill: async (signal) => (running ? end(running, signal) : 'not started'),
    start,
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | string> {
  if (!hasEnded(child)) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  child.stdin?.destroy();
  return child.exitCode ?? child.signalCode ?? 'unknown';
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
