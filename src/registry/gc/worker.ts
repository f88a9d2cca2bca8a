/** The thread in which a folder is read, and for `registry garbage-collect` also swept, by system calls that block. */
import { parentPort, workerData } from 'node:worker_threads';
import { collect } from './collect.ts';
import { checkpointOf } from './interrupt.ts';
import { markLines } from './lines.ts';
import { directRemover } from './direct-remover.ts';
import { sweep } from './sweep.ts';
import { runNow } from './volume.ts';
import { synchronousVolume } from './synchronous-volume.ts';
import type { CollectOrder, WorkerOrder, WorkerReport } from './thread.ts';

/** Characters of lines that travel in one message. */
const batch = 32_768;

type Report = (message: WorkerReport) => void;

function work({ rootDirectory, interrupt, task }: WorkerOrder, report: Report): void {
  const volume = synchronousVolume(rootDirectory);
  const checkpoint = checkpointOf(interrupt);
  if (task.kind === 'collect') return collectAndReport(task, report, { volume, checkpoint });
  const plan = { repositories: [], emptyDirectories: [], marked: 0, problems: [], blobs: task.blobs };
  return report({ removed: runNow(sweep(plan, directRemover(volume), checkpoint)) });
}

interface Means {
  volume: ReturnType<typeof synchronousVolume>;
  checkpoint: () => void;
}

function collectAndReport(order: CollectOrder, report: Report, { volume, checkpoint }: Means): void {
  let lines = '';
  const flush = (): void => {
    if (lines !== '') report({ lines });
    lines = '';
  };
  const print = (line: string): void => {
    lines += `${line}\n`;
    if (lines.length > batch) flush();
  };
  const collection = runNow(
    collect({
      volume,
      deleteUntagged: order.deleteUntagged,
      minimumAgeMs: order.minimumAgeMs,
      mostBlobs: order.mostBlobs,
      now: Date.now(),
      observer: { ...(order.print ? markLines(print) : {}), checkpoint },
      ...(order.print ? { print } : {}),
      ...(order.sweep ? { remover: directRemover(volume) } : {}),
    }),
  );
  flush();
  report({ collection });
}

const port = parentPort;
if (port) work(workerData as WorkerOrder, (message) => port.postMessage(message));
