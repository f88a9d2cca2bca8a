import { Counter, Gauge, type Registry } from 'prom-client';
import type { CollectionReport } from './collector.ts';

export interface CollectionMetrics {
  finished: (report: CollectionReport) => void;
  failed: () => void;
}

/** Of our own: distribution collects offline and has none. */
export function collectionMetrics(register: Registry): CollectionMetrics {
  const registers = [register];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `registry_gc_${name}`, help, labelNames, registers });
  const runs = counter('runs_total', 'Garbage collections', ['result']);
  const removed = counter('removed_total', 'What garbage collections removed', ['type']);
  const bytes = counter('reclaimed_bytes_total', 'Bytes of the blobs that garbage collections removed', []);
  const seconds = counter('step_seconds_total', 'Time spent in each step of garbage collections', ['step']);
  const problems = new Gauge({
    name: 'registry_gc_problems',
    help: 'What the last run could not read or remove',
    registers,
  });
  const last = new Gauge({
    name: 'registry_gc_last_success_timestamp_seconds',
    help: 'When the last garbage collection ended',
    registers,
  });
  return {
    finished(report) {
      runs.inc({ result: 'success' });
      for (const type of ['tags', 'manifests', 'layers', 'blobs', 'repositories'] as const) {
        removed.inc({ type }, report.removed[type]);
      }
      bytes.inc(report.removed.bytes);
      for (const { name, milliseconds } of report.steps) seconds.inc({ step: name }, milliseconds / 1000);
      problems.set(report.problems.length);
      last.set(Date.now() / 1000);
    },
    failed: () => runs.inc({ result: 'failure' }),
  };
}
