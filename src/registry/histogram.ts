/**
 * A histogram for prom-client that is counted in plain numbers. Prom-client's own makes and hashes an object of labels at
 * each observation, and a request makes several.
 */
import type { Metric, Registry } from 'prom-client';

/** Those of docker/go-metrics, which distribution uses. */
export const secondsBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60];
export const bytesBuckets = Array.from({ length: 22 }, (_, power) => 1024 * 2 ** power);

export interface HistogramOptions {
  name: string;
  help: string;
  labelNames: string[];
  /** Upper bounds, ascending. */
  buckets: number[];
  register: Registry;
}

/** Counts `value`; `labels` in the order of their names. */
export type Observe = (value: number, ...labels: string[]) => void;

interface Series {
  labels: Record<string, string>;
  /** Of each bucket alone; the last one is for what is above all bounds. */
  counts: number[];
  sum: number;
}

export function createHistogram({ name, help, labelNames, buckets, register }: HistogramOptions): Observe {
  const all = new Map<string, Series>();
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: [...all.values()].flatMap((series) => exposition(name, buckets, series)),
  });
  // All that a Registry asks of a metric; the type wants the whole class.
  register.registerMetric({ name, get } as unknown as Metric);

  function add(key: string, values: string[]): Series {
    const labels = Object.fromEntries(labelNames.map((label, i) => [label, values[i] ?? '']));
    const series: Series = { labels, counts: Array.from({ length: buckets.length + 1 }, () => 0), sum: 0 };
    all.set(key, series);
    return series;
  }

  return (value, ...labels) => {
    const key = labels.length === 1 ? labels[0]! : labels.join(' ');
    const series = all.get(key) ?? add(key, labels);
    let bucket = 0;
    while (bucket < buckets.length && value > buckets[bucket]!) bucket++;
    series.counts[bucket]!++;
    series.sum += value;
  };
}

/** Each bucket also counts the ones below it, as the exposition format has it. */
function exposition(name: string, buckets: number[], { labels, counts, sum }: Series) {
  let count = 0;
  const cumulated = counts.map((own, i) => {
    count += own;
    return { metricName: `${name}_bucket`, labels: { le: buckets[i] ?? '+Inf', ...labels }, value: count };
  });
  return [
    ...cumulated,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
