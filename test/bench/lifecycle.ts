/** Starting, doing nothing, and cleaning up. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { registryCommand } from '#test/support/registry.ts';
import type { Bench } from './bench.ts';
import { memory } from './process-table.ts';
import type { Row } from './row.ts';
import { makeGarbage } from './tree-maker.ts';

const execute = promisify(execFile);

export function lifecycleRows(bench: Bench): Row[] {
  return [coldStart(bench), idle(bench), collection(bench, '--dry-run'), collection(bench)];
}

/** From the start of the process to the first answer. */
function coldStart(bench: Bench): Row {
  return {
    name: 'cold start to the first answer',
    unit: 'ms',
    better: 'lower',
    async arm(kind) {
      const server = await bench.server(kind, await bench.folder());
      return {
        async run() {
          await server.kill('SIGKILL');
          const started = performance.now();
          await server.start();
          return { value: performance.now() - started, memory: await memory(server.pid(), 'VmRSS') };
        },
      };
    },
  };
}

function idle(bench: Bench): Row {
  return {
    name: 'memory when idle',
    unit: 'MiB',
    better: 'lower',
    async arm(kind) {
      const server = await bench.server(kind, await bench.folder());
      return {
        async run() {
          await delay(1000);
          const value = await memory(server.pid(), 'VmRSS');
          return { value, memory: value };
        },
      };
    },
  };
}

const blobs = 20_000;

/** Each run collects a fresh copy of one volume. */
function collection(bench: Bench, ...flags: string[]): Row {
  let volume: Promise<string> | undefined;
  const made = async () => {
    const root = await bench.folder();
    await makeGarbage(root, blobs);
    return root;
  };
  return {
    name: ['garbage-collect', ...flags, 'of 20,000 blobs'].join(' '),
    unit: 's',
    better: 'lower',
    cpuPer: 'run',
    async arm(kind) {
      volume ??= made();
      const from = await volume;
      const root = join(await bench.folder(), 'volume');
      const server = await bench.server(kind, root);
      await server.kill('SIGTERM');
      const [command = '', ...args] = kind === 'ours' ? bench.ours : await registryCommand(kind);
      return {
        async prepare() {
          await execute('cp', ['-r', `${from}/.`, root]);
        },
        async run() {
          const started = performance.now();
          await execute(command, [...args, 'garbage-collect', ...flags, server.configFile], {
            env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
            maxBuffer: 256 << 20,
          });
          return { value: (performance.now() - started) / 1000, work: 1 };
        },
      };
    },
  };
}
