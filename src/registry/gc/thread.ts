/** Collections, or parts of them, in threads of their own. */
import { Worker } from 'node:worker_threads';
import { workerUrl } from '#shared/worker-url.ts';
import { createInterrupt, Interrupted } from './interrupt.ts';
import type { BlobPlan, CollectOptions, Plan } from './plan.ts';
import type { Removed } from './sweep.ts';

export interface WorkerOrder {
  rootDirectory: string;
  interrupt: SharedArrayBuffer;
  task: { kind: 'mark'; options: CollectOptions } | { kind: 'remove'; blobs: BlobPlan[] };
}

export interface ThreadOptions {
  /** A folder of this machine: `storage.filesystem.rootdirectory`. */
  rootDirectory: string;
  /** Stops the thread at the next safe place; the promise then rejects with {@link Interrupted}. */
  signal: AbortSignal;
}

/** A mark beside a server that goes on answering. */
export function markInThread(options: CollectOptions, thread: ThreadOptions): Promise<Plan> {
  const { deleteUntagged, minimumAgeMs } = options;
  return inThread<Plan>({ kind: 'mark', options: { deleteUntagged, minimumAgeMs } }, thread);
}

export function removeInThread(blobs: BlobPlan[], thread: ThreadOptions): Promise<Removed> {
  return inThread<Removed>({ kind: 'remove', blobs }, thread);
}

/** What the thread reports at its end. */
async function inThread<T>(task: WorkerOrder['task'], { rootDirectory, signal }: ThreadOptions): Promise<T> {
  const interrupt = createInterrupt();
  signal.addEventListener('abort', interrupt.raise, { once: true });
  if (signal.aborted) interrupt.raise();
  const workerData: WorkerOrder = { rootDirectory, interrupt: interrupt.flag, task };
  const worker = new Worker(workerUrl('registry/gc/worker'), { workerData });
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', (result: T) => resolve(result));
      worker.on('error', (error) => reject(error.name === 'Interrupted' ? new Interrupted() : error));
      worker.on('exit', (code) => reject(new Error(`the garbage collection thread ended with code ${code}`)));
    });
  } finally {
    signal.removeEventListener('abort', interrupt.raise);
    await worker.terminate();
  }
}
