/** containerd itself, as on a node: it reads the hosts.toml that the mirror agent wrote, and pulls from our registry. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createChooser } from '#mirror-agent/chooser.ts';
import { createProbe } from '#mirror-agent/probe.ts';
import { createRounds } from '#mirror-agent/round.ts';
import { systemClock } from '#shared/clock.ts';
import { createLogger } from '#shared/logger.ts';
import type { MirrorReport } from '#shared/node-mirrors.ts';
import { startContainerd } from '#test/support/containerd.ts';
import { unpackableImage } from '#test/support/oci-layout.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry } from '#test/support/registry.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

const registry = await startRegistry({ after });
const containerd = await startContainerd({ after });
const image = unpackableImage('containerd');
await registryClient(registry.url).pushImage('team/app', image, '1');

const host = 'kind-registry:5000';
const owner = { namespace: 'default', name: 'kind-registry', uid: '0b1f' };

/** As the agent of a node with this certs.d would; nothing when `hosts` is empty. */
async function configure(certs: string, hosts: string[], endpoints = [registry.url]): Promise<MirrorReport[]> {
  const rounds = createRounds({
    certsDirectory: certs,
    nodeIP: '127.0.0.1',
    choose: createChooser({
      // Longer than a busy machine takes; what does not answer here refuses at once.
      probe: createProbe({ timeoutMs: 30_000 }),
      clock: systemClock,
      doubtMs: 0,
    }),
    log: createLogger({ level: 'silent' }),
  });
  const mirrors = hosts.map((name) => ({ host: name, registry: owner, endpoints }));
  return rounds.run(mirrors, new AbortController().signal);
}

/** The digest that containerd has under the name after it pulled it; not unpacked, since only root can do that. */
async function pull(certs: string, reference: string): Promise<string | undefined> {
  await containerd.ctr('content', 'fetch', '--all-platforms', '--hosts-dir', certs, reference);
  const images = await containerd.ctr('images', 'list', `name==${reference}`);
  return /sha256:[0-9a-f]{64}/.exec(images)?.[0];
}

test('images are pulled under each name of the Registry, though no such host exists', async (t) => {
  const certs = await temporaryFolder(t);
  const reports = await configure(certs, [host, 'localhost:5001', 'registry.example']);
  assert.deepEqual([...new Set(reports.map(({ state }) => state))], ['Configured']);
  for (const name of [host, 'localhost:5001', 'registry.example']) {
    assert.equal(await pull(certs, `${name}/team/app:1`), image.manifest.digest);
  }
  assert.equal(await pull(certs, `${host}/team/app@${image.manifest.digest}`), image.manifest.digest);
});

test('what the registry has not is not found, and nobody else is asked', async (t) => {
  const certs = await temporaryFolder(t);
  await configure(certs, [host]);
  await assert.rejects(pull(certs, `${host}/team/app:none`), /not found/);
});

test("somebody's _default changes nothing; without our file there is no such host", async (t) => {
  const certs = await temporaryFolder(t);
  await mkdir(join(certs, '_default'));
  await writeFile(join(certs, '_default', 'hosts.toml'), 'server = "http://127.0.0.1:1"\n');
  await configure(certs, [host]);
  assert.equal(await pull(certs, `${host}/team/app:1`), image.manifest.digest);
  await configure(certs, []);
  assert.deepEqual(await readdir(certs), ['_default']);
  await assert.rejects(pull(certs, `${host}/team/app:1`), /127\.0\.0\.1:1/);
});

test('a directory that containerd prefers makes ours ineffective, as reported', async (t) => {
  const certs = await temporaryFolder(t);
  const preferred = join(certs, 'kind-registry_5000_');
  await mkdir(preferred);
  await writeFile(join(preferred, 'hosts.toml'), 'server = "http://127.0.0.1:1"\n');
  const [report] = await configure(certs, [host]);
  assert.equal(report?.state, 'Ineffective');
  await assert.rejects(pull(certs, `${host}/team/app:1`), /127\.0\.0\.1:1/);
  await rm(preferred, { recursive: true });
  assert.equal((await configure(certs, [host]))[0]?.state, 'Configured');
  assert.equal(await pull(certs, `${host}/team/app:1`), image.manifest.digest);
});

test('the first address that answers is pulled from', async (t) => {
  const certs = await temporaryFolder(t);
  const [report] = await configure(certs, [host], ['http://127.0.0.1:1', registry.url]);
  assert.deepEqual([report?.state, report?.endpoint], ['Configured', registry.url]);
  assert.equal(await pull(certs, `${host}/team/app:1`), image.manifest.digest);
});
