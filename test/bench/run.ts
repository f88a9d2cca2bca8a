/**
 * `npm run bench [-- [--full] [words of a row...]]`: ours and the two registries that it replaces, the same work, in
 * interleaved rounds, as the table of docs/benchmarks.md. Quick by default: three short rounds, a first impression.
 */
import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openScope } from '#test/support/scope.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { openBench, type Bench, type BenchOptions } from './bench.ts';
import { lifecycleRows } from './lifecycle.ts';
import { listingRows } from './listings.ts';
import { measure } from './measure.ts';
import { pushRows } from './pushes.ts';
import { readRows } from './reads.ts';
import { referrerRows } from './referrers.ts';
import type { Row } from './row.ts';
import { smallImageRows } from './small-images.ts';
import { tableHead, tableRow } from './table.ts';

const groups: ((bench: Bench) => Row[])[] = [
  readRows,
  pushRows,
  smallImageRows,
  listingRows,
  referrerRows,
  lifecycleRows,
];
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const pace = process.argv.includes('--full') ? { seconds: 3, rounds: 9 } : { seconds: 1, rounds: 3 };

/** A row that can't be measured leaves the others alone. */
const failures: string[] = [];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Our program as the image holds it: a bundle, of which we keep a copy, since the next build removes it. */
async function bundled(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/bundle.ts']);
  const built = stdout.trim().split('\n').at(-1) ?? 'dist';
  await cp(join(built, 'app'), join(folder, 'app'), { recursive: true });
  await cp('package.json', join(folder, 'package.json'));
  return [process.execPath, join(folder, 'app', 'main.js'), 'registry'];
}

function machine(): string {
  const [first, ...others] = cpus();
  const load = loadavg().map((value) => value.toFixed(1));
  return `${others.length + 1} x ${first?.model ?? 'unknown processor'}, Node ${process.versions.node}, load ${load.join(' ')}`;
}

async function runGroup(rows: (bench: Bench) => Row[], options: BenchOptions): Promise<void> {
  const bench = openBench(options);
  scope.after(() => bench.close());
  try {
    for (const row of rows(bench)) {
      if (words.length > 0 && !words.some((word) => row.name.includes(word))) continue;
      try {
        print(tableRow(row, await measure(row, options.rounds)));
      } catch (error) {
        failures.push(`${row.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  } finally {
    await bench.close();
  }
}

/** Interrupted, it takes its servers and volumes with it. */
const scope = openScope();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void scope.close().finally(() => process.exit(130)));
}
const folder = await temporaryFolder(scope);
try {
  const ours = await bundled(folder);
  print(`${machine()}; ${pace.rounds} rounds of ${pace.seconds} s\n\n${tableHead()}`);
  for (const rows of groups) await runGroup(rows, { ...pace, ours });
  print(`\nload at the end ${loadavg()[0]?.toFixed(1)}`);
  for (const failure of failures) print(`\nnot measured: ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
} finally {
  await scope.close();
}
