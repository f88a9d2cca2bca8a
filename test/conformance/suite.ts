import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { program } from '#test/support/programs.ts';

const api = [
  ['PULL', 'PUSH', 'REFERRER'],
  ['ATOMIC', 'DELETE', 'DIGEST_HEADER', 'MOUNT_ANONYMOUS', 'UPLOAD_CANCEL'].map((name) => `BLOBS_${name}`),
  ['ATOMIC', 'DELETE', 'DIGEST_HEADER', 'TAG_PARAM'].map((name) => `MANIFESTS_${name}`),
  ['ATOMIC', 'DELETE', 'LIST'].map((name) => `TAGS_${name}`),
].flat();

const data = [
  ['IMAGE', 'INDEX', 'INDEX_LIST', 'SPARSE', 'ARTIFACT', 'SUBJECT', 'SUBJECT_MISSING', 'ARTIFACT_LIST'],
  ['SUBJECT_LIST', 'DATA_FIELD', 'NONDISTRIBUTABLE', 'CUSTOM_FIELDS', 'NO_LAYERS', 'EMPTY_BLOB', 'SHA512'],
].flat();

export interface Verdict {
  tests: number;
  failed: number;
  skipped: number;
  /** What did not pass, line by line. */
  trouble: string;
}

/**
 * Runs the official suite, version dev, against `host` with every API and data switch on, but for `off`, such as
 * `OCI_DATA_SPARSE`. Its report.html, results.yaml and junit.xml stay in .results/<name>.
 */
export async function runSuite(name: string, host: string, off: string[] = []): Promise<Verdict> {
  const results = fileURLToPath(new URL(`../../.results/${name}`, import.meta.url));
  await rm(results, { recursive: true, force: true });
  await mkdir(results, { recursive: true });
  const summary = await run(await program('conformance'), results, {
    OCI_REGISTRY: host,
    OCI_TLS: 'disabled',
    OCI_REPO1: 'conformance/first',
    OCI_REPO2: 'conformance/second',
    OCI_VERSION: 'dev',
    OCI_RESULTS_DIR: results,
    ...Object.fromEntries(switches().map((name) => [name, String(!off.includes(name))])),
  });
  const junit = await readFile(join(results, 'junit.xml'), 'utf8');
  const [attributes = ''] = /<testsuites\b[^>]*>/.exec(junit) ?? [];
  // The suite leaves out a count of zero.
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
  return {
    tests: count('tests'),
    failed: count('failures') + count('errors'),
    skipped: count('skipped'),
    trouble: summary.replaceAll(/^.*: Pass\n/gm, ''),
  };
}

function switches(): string[] {
  return [...api.map((name) => `OCI_API_${name}`), ...data.map((name) => `OCI_DATA_${name}`)];
}

/** The suite's exit code says no more than its report does. */
function run(command: string, folder: string, env: Record<string, string>): Promise<string> {
  const options = { env: { PATH: process.env['PATH'], HOME: folder, ...env }, cwd: folder, maxBuffer: 64 << 20 };
  return new Promise((resolve) => {
    execFile(command, options, (error, stdout, stderr) => {
      resolve(`${stdout}${stderr}${error ? `\n${error.message}` : ''}`);
    });
  });
}
