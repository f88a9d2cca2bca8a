/**
 * Runs the suites, `node test/run.ts [suite...]`, all of them in order when none is named, and ends with one line
 * `N passed, N failed, N skipped`. A suite is a list of files for node:test; files run one after the other where they
 * share a machine-wide thing (ports of a cluster), side by side otherwise.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

interface Suite {
  files: string[];
  exclude?: string[];
  /** Files at a time. */
  concurrency: number;
  /** Milliseconds for one test. */
  timeout: number;
  /** Milliseconds for all of it, from nothing: a file whose process never ends fails instead of holding up the rest. */
  limit: number;
}

const minute = 60_000;

const suites: Record<string, Suite> = {
  unit: {
    files: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'test/support/*.test.ts'],
    exclude: ['src/**/*.contract.test.ts', 'src/registry/http/**'],
    concurrency: 2,
    timeout: 2 * minute,
    limit: 10 * minute,
  },
  contract: { files: ['src/**/*.contract.test.ts'], concurrency: 2, timeout: 2 * minute, limit: 5 * minute },
  http: {
    files: ['src/registry/http/**/*.test.ts', 'test/http/*.test.ts'],
    concurrency: 2,
    timeout: 2 * minute,
    limit: 10 * minute,
  },
  clients: { files: ['test/clients/*.test.ts'], concurrency: 1, timeout: 20 * minute, limit: 35 * minute },
  conformance: { files: ['test/conformance/*.test.ts'], concurrency: 1, timeout: 10 * minute, limit: 10 * minute },
  compat: { files: ['test/compat/*.test.ts'], concurrency: 1, timeout: 10 * minute, limit: 15 * minute },
  integration: { files: ['test/integration/*.test.ts'], concurrency: 1, timeout: 15 * minute, limit: 35 * minute },
  e2e: { files: ['test/e2e/*.test.ts'], concurrency: 1, timeout: 30 * minute, limit: 40 * minute },
};

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function filesOf(suite: Suite): string[] {
  const excluded = new Set((suite.exclude ?? []).flatMap((pattern) => globSync(pattern)));
  return suite.files.flatMap((pattern) => globSync(pattern)).filter((file) => !excluded.has(file));
}

async function runSuite(name: string, suite: Suite, counts: Counts): Promise<void> {
  const files = filesOf(suite);
  const started = performance.now();
  process.stdout.write(`\n== ${name}: ${files.length} files\n`);
  if (files.length === 0) return;
  const { concurrency, timeout, limit } = suite;
  const stream = run({ files, concurrency, timeout, signal: AbortSignal.timeout(limit) });
  const count = (kind: keyof Counts) => (event: { details?: { type?: string } }) => {
    if (event.details?.type !== 'suite') counts[kind]++;
  };
  stream.on('test:pass', (event) => {
    if (event.skip !== undefined || event.todo !== undefined) count('skipped')(event);
    else count('passed')(event);
  });
  stream.on('test:fail', count('failed'));
  const reporter = new spec();
  stream.compose(reporter).pipe(process.stdout, { end: false });
  await new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject));
  process.stdout.write(`== ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

/**
 * Kubernetes, with what the first suites leave of the processor: from nothing it takes minutes. Whoever needs it waits for it, and
 * is told what is wrong when it can't be built.
 */
function buildAhead(): void {
  spawn('nice', ['-n', '19', 'test/cluster/build-programs', 'kubernetes'], { stdio: 'ignore' })
    .on('error', () => {})
    .unref();
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in suites));
if (unknown.length > 0) {
  process.stderr.write(`no suite ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}\n`);
  process.exit(2);
}

if (wanted.length === 0 && !process.env['KUBEBUILDER_ASSETS']) buildAhead();
const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const [name, suite] of Object.entries(suites)) {
  if (wanted.length === 0 || wanted.includes(name)) await runSuite(name, suite, counts);
}
process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
