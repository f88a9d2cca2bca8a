/** The verdict of the official suite of distribution-spec. CONFORMANCE_OF=distribution asks it about a peer. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { registryKinds, startRegistry } from '#test/support/registry.ts';
import { runSuite } from './suite.ts';

const kind = registryKinds.find((kind) => kind === process.env['CONFORMANCE_OF']) ?? 'ours';
const folder = kind === 'ours' ? 'conformance' : `conformance-${kind}`;

async function passes(t: TestContext, name: string, config: Record<string, unknown>, off: string[] = []) {
  const registry = await startRegistry(t, { kind, config });
  const { tests, failed, skipped, trouble } = await runSuite(name, registry.host, off);
  t.diagnostic(`${tests} tests, ${failed} failed, ${skipped} skipped`);
  assert.deepEqual({ failed, skipped }, { failed: 0, skipped: 0 }, `${trouble}\nlog:\n${registry.output()}`);
  assert.ok(tests > 900, `only ${tests} tests were run`);
}

/** Sparse images and indexes, of which some parts are never pushed, are taken only when the configuration says so. */
test('the official suite passes whole: every API, every kind of data, nothing skipped', async (t) => {
  await passes(t, folder, { extensions: { manifests: { sparse: true } } });
});

test('it passes in the default configuration, which refuses sparse images as distribution does', async (t) => {
  await passes(t, `${folder}-default`, {}, ['OCI_DATA_SPARSE']);
});
