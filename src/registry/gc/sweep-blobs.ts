/** Removing many blobs from a folder: the kernel's work, done by several threads at a time. */
import { availableParallelism } from 'node:os';
import { directRemover } from './direct-remover.ts';
import type { Checkpoint } from './interrupt.ts';
import type { BlobPlan } from './plan.ts';
import { addRemoved, nothingRemoved, sweep, type Removed } from './sweep.ts';
import { removeInThread, type ThreadOptions } from './thread.ts';
import { run, type Task, type Volume } from './volume.ts';

/** Blobs that one thread removes about as fast as further threads start. */
const worthSharing = 2000;

/** One more than cores, since a removal also waits for the disk; above four the locks of the file system eat the gain. */
const threads = Math.min(4, availableParallelism() + 1);

export function sweepBlobs(volume: Volume, blobs: BlobPlan[], checkpoint: Checkpoint): Task<Removed> {
  const plan = { repositories: [], emptyDirectories: [], marked: 0, problems: [], blobs };
  return sweep(plan, directRemover(volume), checkpoint);
}

export interface SharedSweep extends ThreadOptions {
  volume: Volume;
  checkpoint: Checkpoint;
}

/** In this thread, and in others where it is worth it. Rejects with {@link Interrupted} once all have stopped. */
export async function sweepBlobsTogether(blobs: BlobPlan[], options: SharedSweep): Promise<Removed> {
  const share = blobs.length > worthSharing ? Math.ceil(blobs.length / threads) : blobs.length;
  // In the order of the mark, so that each thread has directories of its own.
  const others: Promise<Removed>[] = [];
  for (let at = share; at < blobs.length; at += share) {
    others.push(removeInThread(blobs.slice(at, at + share), options));
  }
  const own = run(sweepBlobs(options.volume, blobs.slice(0, share), options.checkpoint));
  const removed = nothingRemoved();
  for (const outcome of await Promise.allSettled([own, ...others])) {
    if (outcome.status === 'rejected') throw outcome.reason;
    addRemoved(removed, outcome.value);
  }
  return removed;
}
