import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { workerUrl } from '#shared/worker-url.ts';
import { createInterrupt, Interrupted } from './interrupt.ts';
import { addRemoved, type Removed } from './sweep.ts';
import type { Collection } from './collect.ts';
import type { BlobPlan, CollectOptions } from './plan.ts';

export interface ThreadOptions extends CollectOptions {
  /** A folder of this machine: `storage.filesystem.rootdirectory`. */
  rootDirectory: string;
  /** Remove what the mark finds; otherwise only the plan is made. */
  sweep: boolean;
  /** Told of every repository, manifest and blob, in blocks of whole lines. */
  onLines?: (lines: string) => void;
  /** Stops the threads at the next safe place; the promise then rejects with {@link Interrupted}. */
  signal: AbortSignal;
}

export interface CollectOrder extends CollectOptions {
  kind: 'collect';
  sweep: boolean;
  print: boolean;
  mostBlobs: number;
}

export interface WorkerOrder {
  rootDirectory: string;
  interrupt: SharedArrayBuffer;
  task: CollectOrder | { kind: 'remove'; blobs: BlobPlan[] };
}

export type WorkerReport = { lines: string } | { collection: Collection } | { removed: Removed };

/** Blobs that one thread removes about as fast as further threads start. */
const worthSharing = 2000;

/** Removing files is the kernel's work; it does it for several threads at a time, up to the locks of the file system. */
const mostThreads = 4;

/** A collection in threads of its own, so that a server goes on answering and a command hears Ctrl-C. */
export async function collectInThread(options: ThreadOptions): Promise<Collection> {
  const { rootDirectory, onLines, signal, deleteUntagged, minimumAgeMs, sweep } = options;
  const interrupt = createInterrupt();
  const threads = Math.min(mostThreads, availableParallelism());
  const mostBlobs = threads > 1 ? worthSharing : Number.POSITIVE_INFINITY;
  const order = (task: WorkerOrder['task']): WorkerOrder => ({ rootDirectory, interrupt: interrupt.flag, task });
  signal.addEventListener('abort', interrupt.raise, { once: true });
  if (signal.aborted) interrupt.raise();
  try {
    const print = onLines !== undefined;
    const task: CollectOrder = { kind: 'collect', deleteUntagged, minimumAgeMs, sweep, print, mostBlobs };
    const report = await reportOf(order(task), onLines);
    if (!('collection' in report)) throw new Error('the garbage collection thread reported no collection');
    const { collection } = report;
    if (collection.blobsLeft) {
      await removeBlobs(collection, threads, (blobs) => reportOf(order({ kind: 'remove', blobs })));
    }
    return collection;
  } finally {
    signal.removeEventListener('abort', interrupt.raise);
  }
}

async function removeBlobs(
  { plan, removed, steps }: Collection,
  threads: number,
  remove: (blobs: BlobPlan[]) => Promise<WorkerReport>,
): Promise<void> {
  const started = performance.now();
  const share = Math.ceil(plan.blobs.length / threads);
  // In the order of the mark, so that each thread has directories of its own.
  const shares = Array.from({ length: threads }, (_, n) => plan.blobs.slice(n * share, (n + 1) * share));
  for (const report of await Promise.all(shares.map(remove))) {
    if ('removed' in report && removed) addRemoved(removed, report.removed);
  }
  steps.push({ name: 'sweep blobs', milliseconds: Math.round(performance.now() - started) });
}

/** What a thread reports at its end. */
async function reportOf(order: WorkerOrder, onLines?: ThreadOptions['onLines']): Promise<WorkerReport> {
  const worker = new Worker(workerUrl('registry/gc/worker'), { workerData: order });
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', (report: WorkerReport) => {
        if ('lines' in report) onLines?.(report.lines);
        else resolve(report);
      });
      worker.on('error', (error) => reject(error.name === 'Interrupted' ? new Interrupted() : error));
      worker.on('exit', (code) => reject(new Error(`the garbage collection thread ended with code ${code}`)));
    });
  } finally {
    await worker.terminate();
  }
}
