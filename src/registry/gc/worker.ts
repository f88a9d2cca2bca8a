/** The thread in which a folder is read or swept by system calls that block. */
import { parentPort, workerData } from 'node:worker_threads';
import { checkpointOf } from './interrupt.ts';
import { mark } from './mark.ts';
import { sweepBlobs } from './sweep-blobs.ts';
import { runNow, type Task } from './volume.ts';
import { synchronousVolume } from './synchronous-volume.ts';
import type { WorkerSetting, WorkerTask } from './thread.ts';

const { rootDirectory, interrupt } = workerData as WorkerSetting;
const volume = synchronousVolume(rootDirectory);
const checkpoint = checkpointOf(interrupt);

function work(task: WorkerTask): Task<unknown> {
  if (task.kind === 'remove') return sweepBlobs(volume, task.blobs, checkpoint);
  return mark(volume, { ...task.options, now: Date.now(), observer: { checkpoint } });
}

const port = parentPort;
port?.on('message', (task: WorkerTask) => port.postMessage(runNow(work(task))));
