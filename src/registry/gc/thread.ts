import { Worker } from 'node:worker_threads';
import { workerUrl } from '#shared/worker-url.ts';
import { createInterrupt, Interrupted } from './interrupt.ts';
import type { Collection } from './collect.ts';
import type { CollectOptions } from './plan.ts';

export interface ThreadOptions extends CollectOptions {
  /** A folder of this machine: `storage.filesystem.rootdirectory`. */
  rootDirectory: string;
  /** Remove what the mark finds; otherwise only the plan is made. */
  sweep: boolean;
  /** Told of every repository, manifest and blob, in blocks of whole lines. */
  onLines?: (lines: string) => void;
  /** Stops the thread at the next safe place; the promise then rejects with {@link Interrupted}. */
  signal: AbortSignal;
}

export interface WorkerOrder extends CollectOptions {
  rootDirectory: string;
  sweep: boolean;
  print: boolean;
  interrupt: SharedArrayBuffer;
}

export type WorkerReport = { lines: string } | { collection: Collection };

/** A collection in a thread of its own, so that a server goes on answering and a command hears Ctrl-C. */
export async function collectInThread(options: ThreadOptions): Promise<Collection> {
  const { onLines, signal, ...rest } = options;
  const interrupt = createInterrupt();
  const order: WorkerOrder = { ...rest, print: onLines !== undefined, interrupt: interrupt.flag };
  const worker = new Worker(workerUrl('registry/gc/worker'), { workerData: order });
  signal.addEventListener('abort', interrupt.raise, { once: true });
  if (signal.aborted) interrupt.raise();
  try {
    return await reportOf(worker, onLines);
  } finally {
    signal.removeEventListener('abort', interrupt.raise);
    await worker.terminate();
  }
}

function reportOf(worker: Worker, onLines: ThreadOptions['onLines']): Promise<Collection> {
  return new Promise((resolve, reject) => {
    worker.on('message', (report: WorkerReport) => {
      if ('lines' in report) onLines?.(report.lines);
      else resolve(report.collection);
    });
    worker.on('error', (error) => reject(error.name === 'Interrupted' ? new Interrupted() : error));
    worker.on('exit', (code) => reject(new Error(`the garbage collection thread ended with code ${code}`)));
  });
}
