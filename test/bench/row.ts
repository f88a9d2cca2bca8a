/** What a benchmark is made of: rows, each run against every registry in turn. */
import type { RegistryKind } from '#test/support/registry.ts';

export interface Row {
  name: string;
  /** Of `value`, such as `req/s`. */
  unit: string;
  better: 'higher' | 'lower';
  /** What processor time is divided by: `request`, `GB`; absent where it means nothing. */
  cpuPer?: string;
  /** Brings one registry to where it can be measured; not part of what is measured. */
  arm(kind: RegistryKind): Promise<Arm>;
}

export interface Arm {
  /** The process whose processor time and memory count; absent when `run` starts a process of its own. */
  pid?: () => number;
  /** Before each run, not measured. */
  prepare?: () => Promise<void>;
  run: () => Promise<Sample>;
}

export interface Sample {
  value: number;
  /** How many of the row's `cpuPer` were done. */
  work?: number;
  /** Milliseconds. */
  p99?: number;
  /** MiB, when `run` knows it better than the process table. */
  memory?: number;
}

/** A sample with what the process table says of the time in which it was taken. */
export interface Measurement extends Sample {
  /** Seconds. */
  cpu: number;
  /** MiB, the peak. */
  memory: number;
}
