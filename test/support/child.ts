import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Child {
  /** Resolves when it ended, with its last words. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/**
 * Ends the program when our end of its standard input closes, that is whenever we are gone, even by SIGKILL: a test run
 * that is cut off leaves nothing behind.
 */
const guard = 'exec 3<&0; "$@" <&- 3<&- & pid=$!; (cat <&3 >/dev/null; kill -9 $pid 2>/dev/null) & wait $pid';

/** Starts a server that lives no longer than we do. */
export function startChild(program: string, args: string[]): Child {
  const child: ChildProcess = spawn('/bin/sh', ['-c', guard, 'sh', program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4000);
    });
  }
  child.stdin?.on('error', () => {});
  const ended = once(child, 'exit').then(() => words);
  return {
    ended,
    async stop() {
      child.stdin?.end();
      await ended;
    },
  };
}
