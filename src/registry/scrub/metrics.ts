import { Counter, Gauge, type Registry } from 'prom-client';
import type { ScrubObserver, ScrubReport } from './scrubber.ts';

export interface ScrubMetrics extends Required<ScrubObserver> {
  finished: (report: ScrubReport) => void;
  failed: () => void;
}

/** Of our own: distribution never looks at a blob again. */
export function scrubMetrics(register: Registry): ScrubMetrics {
  const registers = [register];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `registry_scrub_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string) => new Gauge({ name: `registry_scrub_${name}`, help, registers });
  const runs = counter('runs_total', 'Scrubs of all blobs', ['result']);
  const blobs = counter('blobs_total', 'Blobs that were verified', []);
  const bytes = counter('bytes_total', 'Bytes of the blobs that were verified', []);
  const corrupt = counter('corrupt_total', 'Blobs that were not what their digest says', []);
  const unreadable = gauge('unreadable', 'Blobs, and directories of blobs, that the last scrub could not read');
  const last = gauge('last_success_timestamp_seconds', 'When the last scrub of all blobs ended');
  return {
    verified({ bytes: size, sound }) {
      blobs.inc();
      bytes.inc(size);
      if (!sound) corrupt.inc();
    },
    finished(report) {
      runs.inc({ result: 'success' });
      unreadable.set(report.unreadable);
      last.set(Date.now() / 1000);
    },
    failed: () => runs.inc({ result: 'failure' }),
  };
}
