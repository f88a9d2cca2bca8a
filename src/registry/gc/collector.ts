/** Garbage collection in the running server. Why it is safe while pushes go on: docs/adr/0007-online-garbage-collection.md. */
import type { Logger } from '#shared/logger.ts';
import { interruptedBy } from './interrupt.ts';
import { markInThread } from './thread.ts';
import { driverVolume } from './driver-volume.ts';
import { mark } from './mark.ts';
import { emptyTrash, onlineRemover, type OnlineRemoverOptions } from './online-remover.ts';
import { addRemoved, nothingRemoved, sweep, type Removed, type Remover } from './sweep.ts';
import { run } from './volume.ts';
import type { CollectOptions, Plan } from './plan.ts';
import type { Problem } from './snapshot.ts';

export interface CollectorOptions extends CollectOptions, OnlineRemoverOptions {
  /** Where the driver keeps its files, when that is a folder: it is then read in a thread. */
  rootDirectory?: string;
  logger: Logger;
  observe?: (report: CollectionReport) => void;
}

export interface StepReport {
  name: string;
  milliseconds: number;
}

export interface CollectionReport {
  /** Bytes that each repository has in live manifests and their blobs, by name. */
  repositories: Map<string, number>;
  removed: Removed;
  problems: Problem[];
  steps: StepReport[];
}

export interface Collector {
  /** One run; rejects when it was interrupted or the tree could not be read, with nothing half done. */
  collect(signal: AbortSignal): Promise<CollectionReport>;
}

interface Run {
  options: CollectorOptions;
  remover: Remover;
  report: CollectionReport;
  signal: AbortSignal;
}

type Step = [name: string, action: (run: Run) => Promise<void>];

/**
 * Untagged manifests go first, in a mark of their own. The second mark then takes every manifest that is still there for
 * live, also one that was tagged again a moment ago, so that its content is not garbage.
 */
const steps: Step[] = [
  ['empty the trash', ({ options }) => emptyTrash(options.driver)],
  ['remove untagged manifests', removeManifests],
  ['remove content', removeContent],
];

export function createCollector(options: CollectorOptions): Collector {
  const remover = onlineRemover(options);
  return {
    async collect(signal) {
      const end = options.protection.begin();
      const report: CollectionReport = { repositories: new Map(), removed: nothingRemoved(), problems: [], steps: [] };
      try {
        for (const [name, action] of steps) {
          signal.throwIfAborted();
          const started = performance.now();
          await action({ options, remover, report, signal });
          report.steps.push({ name, milliseconds: Math.round(performance.now() - started) });
        }
      } finally {
        end();
      }
      tell(options, report);
      return report;
    },
  };
}

async function removeManifests({ options, remover, report, signal }: Run): Promise<void> {
  if (!options.deleteUntagged) return;
  const plan = await markAll(options, true, signal);
  const manifestsAlone = plan.repositories.map((repository) => ({ ...repository, deadLayers: [], dead: false }));
  const part = { ...plan, repositories: manifestsAlone, blobs: [], emptyDirectories: [] };
  addRemoved(report.removed, await run(sweep(part, remover, () => signal.throwIfAborted())));
}

async function removeContent({ options, remover, report, signal }: Run): Promise<void> {
  const plan = await markAll(options, false, signal);
  for (const { name, bytes } of plan.repositories) report.repositories.set(name, bytes);
  for (const problem of plan.problems) report.problems.push(problem);
  addRemoved(report.removed, await run(sweep(plan, remover, () => signal.throwIfAborted())));
}

async function markAll(options: CollectorOptions, deleteUntagged: boolean, signal: AbortSignal): Promise<Plan> {
  const { rootDirectory, driver, minimumAgeMs } = options;
  if (rootDirectory !== undefined) return markInThread({ deleteUntagged, minimumAgeMs }, { rootDirectory, signal });
  const observer = { checkpoint: interruptedBy(signal) };
  return run(mark(driverVolume(driver), { deleteUntagged, minimumAgeMs, now: Date.now(), observer }));
}

function tell({ logger, observe }: CollectorOptions, report: CollectionReport): void {
  const { problems: failures, ...counts } = report.removed;
  for (const failure of failures) report.problems.push(failure);
  for (const problem of report.problems) logger.warn(problem, 'garbage collection met a problem');
  const steps = Object.fromEntries(report.steps.map(({ name, milliseconds }) => [name, milliseconds]));
  logger.info({ ...counts, problems: report.problems.length, steps }, 'garbage has been collected');
  observe?.(report);
}
