/** Removing many blobs from a folder: the kernel's work, done by several threads at a time. */
import { blobsRoot } from '#registry/storage/layout.ts';
import { directRemover } from './direct-remover.ts';
import type { Checkpoint } from './interrupt.ts';
import type { BlobPlan } from './plan.ts';
import { addRemoved, nothingRemoved, sweep, type Removed } from './sweep.ts';
import { startThread, type Thread, type ThreadOptions } from './thread.ts';
import { run, runNow, settle, type Task, type Volume } from './volume.ts';

/** Blobs that one thread removes about as fast as several share them out. */
const worthSharing = 2000;

/** Blobs that a thread takes at a time: a few milliseconds of work. */
const batch = 100;

/** However many cores there are: a removal mostly waits for the disk, which is told of each block that is free again. */
const threadCount = 6;

export function sweepBlobs(volume: Volume, blobs: BlobPlan[], checkpoint: Checkpoint): Task<Removed> {
  const plan = { repositories: [], emptyDirectories: [], marked: 0, problems: [], blobs };
  return sweep(plan, directRemover(volume), checkpoint);
}

export interface SweeperOptions extends ThreadOptions {
  volume: Volume;
  checkpoint: Checkpoint;
}

export interface BlobSweeper {
  /** Rejects with {@link Interrupted} once all threads have stopped. */
  sweep: (blobs: BlobPlan[]) => Promise<Removed>;
  end: () => Promise<void>;
}

/** Made before the mark, so that the threads start while that goes on. */
export function blobSweeper(options: SweeperOptions): BlobSweeper {
  const { volume, checkpoint } = options;
  const threads = mayHoldMany(volume) ? Array.from({ length: threadCount }, () => startThread(options)) : [];
  return {
    sweep: (blobs) =>
      threads.length > 0 && blobs.length > worthSharing
        ? sweepTogether(threads, blobs)
        : run(sweepBlobs(volume, blobs, checkpoint)),
    end: async () => void (await Promise.all(threads.map((thread) => thread.end()))),
  };
}

/** Blobs lie in up to 256 directories; some of those are missing as long as there are not about 1,500 blobs. */
function mayHoldMany(volume: Volume): boolean {
  const directories = runNow(settle(volume.list(`${blobsRoot}/sha256`))) ?? [];
  return directories.length >= 256;
}

async function sweepTogether(threads: Thread[], blobs: BlobPlan[]): Promise<Removed> {
  const removed = nothingRemoved();
  let next = 0;
  const outcomes = await Promise.allSettled(
    threads.map(async ({ remove }) => {
      for (let at = next; at < blobs.length; at = next) {
        next += batch;
        addRemoved(removed, await remove(blobs.slice(at, at + batch)));
      }
    }),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return removed;
}
