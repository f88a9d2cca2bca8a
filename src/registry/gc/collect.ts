/** A collection as a list of named, timed steps. */
import { mark, type MarkOptions } from './mark.ts';
import { planLines } from './lines.ts';
import { addRemoved, sweep, type Removed, type Remover } from './sweep.ts';
import type { BlobPlan, Plan } from './plan.ts';
import { settle, type Task, type Volume } from './volume.ts';

export interface StepTime {
  name: 'mark' | 'sweep' | 'sweep blobs';
  milliseconds: number;
}

export interface Collection {
  plan: Plan;
  /** Absent in a dry run. */
  removed?: Removed;
  steps: StepTime[];
}

export interface CollectTask extends MarkOptions {
  volume: Volume;
  /** Absent: a dry run. */
  remover?: Remover;
  /** Removes the blobs in place of `remover`. */
  removeBlobs?: (blobs: BlobPlan[]) => Promise<Removed>;
  /** Told between the steps what will go, line by line. */
  print?: (line: string) => void;
}

export function* collect(task: CollectTask): Task<Collection> {
  const { volume, remover, removeBlobs, print, observer } = task;
  const steps: StepTime[] = [];
  const plan = yield* timed('mark', steps, mark(volume, task));
  if (print) for (const line of planLines(plan)) print(line);
  if (!remover) return { plan, steps };
  const own = removeBlobs ? { ...plan, blobs: [] } : plan;
  const removed = yield* timed('sweep', steps, sweep(own, remover, observer?.checkpoint));
  if (removeBlobs) addRemoved(removed, yield* timed('sweep blobs', steps, settle(removeBlobs(plan.blobs))));
  return { plan, removed, steps };
}

function* timed<T>(name: StepTime['name'], steps: StepTime[], task: Task<T>): Task<T> {
  const started = performance.now();
  try {
    return yield* task;
  } finally {
    steps.push({ name, milliseconds: Math.round(performance.now() - started) });
  }
}
