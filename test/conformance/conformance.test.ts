/**
 * The official suite of distribution-spec, version dev, with every API and every data set switched on. Its report is
 * kept in .results/conformance (report.html, results.yaml, junit.xml).
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { program } from '#test/support/programs.ts';
import { registryKinds, startRegistry, type RegistryKind } from '#test/support/registry.ts';

const apis = ['PULL', 'PUSH', 'REFERRER'];
const blobApis = ['ATOMIC', 'DELETE', 'DIGEST_HEADER', 'MOUNT_ANONYMOUS', 'UPLOAD_CANCEL'];
const manifestApis = ['ATOMIC', 'DELETE', 'DIGEST_HEADER', 'TAG_PARAM'];
const tagApis = ['ATOMIC', 'DELETE', 'LIST'];
const data = [
  ['IMAGE', 'INDEX', 'INDEX_LIST', 'SPARSE', 'ARTIFACT', 'SUBJECT', 'SUBJECT_MISSING', 'ARTIFACT_LIST'],
  ['SUBJECT_LIST', 'DATA_FIELD', 'NONDISTRIBUTABLE', 'CUSTOM_FIELDS', 'NO_LAYERS', 'EMPTY_BLOB', 'SHA512'],
].flat();

/** CONFORMANCE_OF=distribution runs the same against a peer, to see what the suite says of it. */
const kind = registryKinds.find((kind) => kind === process.env['CONFORMANCE_OF']) ?? 'ours';
const results = fileURLToPath(new URL(`../../.results/${folderOf(kind)}`, import.meta.url));

function folderOf(kind: RegistryKind): string {
  return kind === 'ours' ? 'conformance' : `conformance-${kind}`;
}

function switches(): Record<string, string> {
  const names = [
    ...apis.map((name) => `OCI_API_${name}`),
    ...blobApis.map((name) => `OCI_API_BLOBS_${name}`),
    ...manifestApis.map((name) => `OCI_API_MANIFESTS_${name}`),
    ...tagApis.map((name) => `OCI_API_TAGS_${name}`),
    ...data.map((name) => `OCI_DATA_${name}`),
  ];
  return Object.fromEntries(names.map((name) => [name, 'true']));
}

function run(command: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, { env, cwd: results, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      resolve(`${stdout}${stderr}${error ? `\n${error.message}` : ''}`);
    });
  });
}

test('the official conformance suite passes whole: nothing failed, nothing skipped', async (t) => {
  await rm(results, { recursive: true, force: true });
  await mkdir(results, { recursive: true });
  const registry = await startRegistry(t, { kind });
  const summary = await run(await program('conformance'), {
    PATH: process.env['PATH'],
    HOME: results,
    OCI_REGISTRY: registry.host,
    OCI_TLS: 'disabled',
    OCI_REPO1: 'conformance/first',
    OCI_REPO2: 'conformance/second',
    OCI_VERSION: 'dev',
    OCI_RESULTS_DIR: results,
    ...switches(),
  });
  const trouble = `${summary.replaceAll(/^.*: Pass\n/gm, '')}\nthe registry said:\n${registry.output()}`;
  const junit = await readFile(join(results, 'junit.xml'), 'utf8');
  const attributes = /<testsuites\b[^>]*>/.exec(junit)?.[0] ?? '';
  assert.match(attributes, /tests=/, summary);
  // The suite leaves out a count of zero.
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(attributes)?.[1] ?? 0);
  t.diagnostic(`${count('tests')} tests, ${count('failures')} failed, ${count('skipped')} skipped`);
  assert.deepEqual({ failed: count('failures'), skipped: count('skipped') }, { failed: 0, skipped: 0 }, trouble);
  assert.ok(count('tests') > 100, trouble);
});
