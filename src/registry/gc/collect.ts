/** A collection as a list of named, timed steps. */
import { mark, type MarkOptions } from './mark.ts';
import { planLines } from './lines.ts';
import { sweep, type Removed, type Remover } from './sweep.ts';
import type { Plan } from './plan.ts';
import type { Task, Volume } from './volume.ts';

export interface StepTime {
  name: 'mark' | 'sweep' | 'sweep blobs';
  milliseconds: number;
}

export interface Collection {
  plan: Plan;
  /** Absent in a dry run. */
  removed?: Removed;
  /** The blobs are planned, but not removed: {@link CollectTask.mostBlobs}. */
  blobsLeft: boolean;
  steps: StepTime[];
}

export interface CollectTask extends MarkOptions {
  volume: Volume;
  /** Absent: a dry run. */
  remover?: Remover;
  /** With more blobs to remove than this, they are left to others. */
  mostBlobs?: number;
  /** Told between the steps what will go, line by line. */
  print?: (line: string) => void;
}

export function* collect(task: CollectTask): Task<Collection> {
  const steps: StepTime[] = [];
  const plan = yield* timed('mark', steps, mark(task.volume, task));
  if (task.print) for (const line of planLines(plan)) task.print(line);
  if (!task.remover) return { plan, blobsLeft: false, steps };
  const blobsLeft = plan.blobs.length > (task.mostBlobs ?? Number.POSITIVE_INFINITY);
  const own = blobsLeft ? { ...plan, blobs: [] } : plan;
  const removed = yield* timed('sweep', steps, sweep(own, task.remover, task.observer?.checkpoint));
  return { plan, removed, blobsLeft, steps };
}

function* timed<T>(name: StepTime['name'], steps: StepTime[], task: Task<T>): Task<T> {
  const started = performance.now();
  try {
    return yield* task;
  } finally {
    steps.push({ name, milliseconds: Math.round(performance.now() - started) });
  }
}
