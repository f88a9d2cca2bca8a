/** Measurements as a markdown table: medians, and the ratio to the better peer, more than 1 meaning that ours is better. */
import { peerKinds, registryKinds, type PeerKind } from '#test/support/registry.ts';
import type { Measurements } from './measure.ts';
import type { Measurement, Row } from './row.ts';

export function tableHead(): string {
  const columns = ['', 'unit', 'ours', 'distribution 3', 'docker-registry 2.8', 'ratio', 'rounds won'];
  return [
    line([...columns, 'CPU of ours', 'CPU ratio', 'p99 (ms)', 'memory (MiB)']),
    line(['---', '---', ...Array.from({ length: 9 }, () => '---:')]),
  ].join('\n');
}

export function tableRow(row: Row, all: Measurements): string {
  const peer = betterPeer(row, all);
  const ratios = all.ours.map((ours, i) => ratio(row, ours.value, all[peer][i]?.value ?? Number.NaN));
  const values = (of: keyof Measurements) => spread(all[of].map(({ value }) => value));
  return line([
    row.name,
    row.unit,
    values('ours'),
    values('distribution'),
    values('docker-registry'),
    `**${figure(median(ratios))}**`,
    `${ratios.filter((ratio) => ratio > 1).length}/${ratios.length}`,
    ...cpu(row, all, peer),
    optional(all.ours, all[peer], ({ p99 }) => p99),
    memory(all),
  ]);
}

function line(cells: string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function betterPeer({ better }: Row, all: Measurements): PeerKind {
  const value = (kind: PeerKind) => median(all[kind].map(({ value }) => value));
  const sorted = [...peerKinds].sort((a, b) => (better === 'higher' ? value(b) - value(a) : value(a) - value(b)));
  return sorted[0] ?? 'distribution';
}

function ratio({ better }: Row, ours: number, theirs: number): number {
  return better === 'higher' ? ours / theirs : theirs / ours;
}

function cpu({ cpuPer }: Row, all: Measurements, peer: PeerKind): [each: string, ratio: string] {
  if (!cpuPer) return ['', ''];
  const per = (measurements: Measurement[]) => median(measurements.map(({ cpu, work = 1 }) => cpu / work));
  const ours = per(all.ours);
  const text =
    ours < 0.001 ? `${figure(ours * 1e6)} µs` : ours < 0.1 ? `${figure(ours * 1e3)} ms` : `${figure(ours)} s`;
  return [`${text} a ${cpuPer}`, figure(ours / per(all[peer]))];
}

/** Unknown of a process that ends with its work. */
function memory(all: Measurements): string {
  const peaks = registryKinds.map((kind) => median(all[kind].map(({ memory }) => memory)));
  return peaks.includes(0) ? '' : peaks.map(figure).join(' / ');
}

function optional(
  ours: Measurement[],
  theirs: Measurement[],
  of: (measurement: Measurement) => number | undefined,
): string {
  const [here, there] = [ours, theirs].map((list) => list.map(of).filter((value) => value !== undefined));
  return here?.length && there?.length ? `${figure(median(here))} / ${figure(median(there))}` : '';
}

/** The median, and from where to where the rounds went. */
function spread(values: number[]): string {
  const text = figure(median(values));
  return values.length < 2 ? text : `${text} (${figure(Math.min(...values))}-${figure(Math.max(...values))})`;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Three digits that count. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
