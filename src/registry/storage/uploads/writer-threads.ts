import { availableParallelism } from 'node:os';
import { startWriterThread, type ThreadedUpload, type WriterThread } from './writer-thread.ts';
import type { HashStart } from './writer-worker.ts';

/** The threads that large uploads are handed to. */
export interface WriterThreads {
  /** In the thread with the fewest uploads. Threads start when they are needed, and do not keep the process. */
  open(start: HashStart): ThreadedUpload;
  /** Ends them when they have done what they were told. */
  close(): Promise<void>;
}

/**
 * Hashing and writing is twice the work of reading from the network, so on two processors two threads beside the one that reads
 * get their share: four uploads at once were 1.01 times as fast as distribution's, 0.86 times with one thread.
 */
const mostThreads = Math.min(4, availableParallelism());

export function createWriterThreads(most = mostThreads, program?: URL): WriterThreads {
  const threads = new Set<WriterThread>();

  function start(): WriterThread {
    const thread = startWriterThread(() => threads.delete(thread), program);
    threads.add(thread);
    return thread;
  }

  function leastBusy(): WriterThread {
    const [first, ...others] = threads;
    const least = others.reduce((a, b) => (b.uploads < a.uploads ? b : a), first!);
    return threads.size < most && (!least || least.uploads > 0) ? start() : least;
  }

  return {
    open: (begin) => leastBusy().open(begin),
    async close() {
      await Promise.all([...threads].map((thread) => thread.close()));
    },
  };
}
