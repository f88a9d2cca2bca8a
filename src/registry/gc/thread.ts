/** Collections, or parts of them, in threads of their own. */
import { Worker } from 'node:worker_threads';
import { workerUrl } from '#shared/worker-url.ts';
import { createInterrupt, Interrupted } from './interrupt.ts';
import type { BlobPlan, CollectOptions, Plan } from './plan.ts';
import type { Removed } from './sweep.ts';

export interface WorkerSetting {
  rootDirectory: string;
  interrupt: SharedArrayBuffer;
}

export type WorkerTask = { kind: 'mark'; options: CollectOptions } | { kind: 'remove'; blobs: BlobPlan[] };

export interface ThreadOptions {
  /** A folder of this machine: `storage.filesystem.rootdirectory`. */
  rootDirectory: string;
  /** Stops the thread at the next safe place; what it does then rejects with {@link Interrupted}. */
  signal: AbortSignal;
}

/** Does one task after the other. One that fails is its last. */
export interface Thread {
  mark: (options: CollectOptions) => Promise<Plan>;
  remove: (blobs: BlobPlan[]) => Promise<Removed>;
  end: () => Promise<void>;
}

/** A mark beside a server that goes on answering. */
export async function markInThread(options: CollectOptions, thread: ThreadOptions): Promise<Plan> {
  const { mark, end } = startThread(thread);
  const { deleteUntagged, minimumAgeMs } = options;
  try {
    return await mark({ deleteUntagged, minimumAgeMs });
  } finally {
    await end();
  }
}

export function startThread({ rootDirectory, signal }: ThreadOptions): Thread {
  const interrupt = createInterrupt();
  signal.addEventListener('abort', interrupt.raise, { once: true });
  if (signal.aborted) interrupt.raise();
  const workerData: WorkerSetting = { rootDirectory, interrupt: interrupt.flag };
  const worker = new Worker(workerUrl('registry/gc/worker'), { workerData });
  const ended = new Promise<never>((_, reject) => {
    worker.on('error', (error) => reject(error.name === 'Interrupted' ? new Interrupted() : error));
    worker.on('exit', (code) => reject(new Error(`the garbage collection thread ended with code ${code}`)));
  });
  // Without a task there is nobody to tell; the next task is.
  ended.catch(() => {});

  function perform<T>(task: WorkerTask): Promise<T> {
    const answer = new Promise<T>((resolve) => worker.once('message', resolve));
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(task);
    return Promise.race([answer, ended]);
  }

  return {
    mark: (options) => perform<Plan>({ kind: 'mark', options }),
    remove: (blobs) => perform<Removed>({ kind: 'remove', blobs }),
    async end() {
      signal.removeEventListener('abort', interrupt.raise);
      await worker.terminate();
    },
  };
}
