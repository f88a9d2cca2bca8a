/** The mirror agent against a real API server: what its node gets, keeps and loses, and what it reports. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { type Mirror, mirrorsRevision } from '#shared/node-mirrors.ts';
import { eventually } from '#test/support/eventually.ts';
import { startKubeApiserver } from '#test/support/kube-apiserver.ts';
import {
  installAgentRights,
  publishMirrors,
  publishText,
  startAgent,
  startAnswering,
  unpublish,
} from '#test/support/mirror-agent.ts';
import { installCrds } from '#test/support/registry-crds.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

const apiserver = await startKubeApiserver({ after });
await installCrds(apiserver);
await installAgentRights(apiserver);
beforeEach(() => unpublish(apiserver));

const host = 'kind-registry:5000';
const registry = { namespace: 'default', name: 'kind-registry', uid: '0b1f' };
const mirror = (endpoint: string, name = host): Mirror => ({ host: name, registry, endpoints: [endpoint] });

/**
 * Everything that the agent has to do at once is done within this; timings of the agent itself are far below, and those at which
 * it looks again by itself above (20 s, and the sync period).
 */
const soon = { timeoutMs: 15_000, intervalMs: 20 };

test('a published mirror is on the node within a second, and so is a changed one; the report follows', async (t) => {
  const registryServer = await startAnswering(t);
  const agent = await startAgent(t, apiserver, { node: 'node-change' });
  const text = await publishMirrors(apiserver, [mirror(registryServer.url)]);
  await eventually(async () => assert.match(await agent.read(host), new RegExp(registryServer.url)), soon);
  const report = await eventually(async () => {
    const found = await agent.report();
    assert.equal(found.status?.revision, mirrorsRevision(text));
    // Here, not below: it is Unreachable for a while when we take longer than a second to answer.
    assert.deepEqual(found.status.hosts, [{ host, registry, state: 'Configured', endpoint: registryServer.url }]);
    return found;
  }, soon);
  assert.match(await apiserver.kubectl(['get', 'nodemirrors']), /CONFIGURED +PROBLEMS +AGE\n\S+ +1\/1 /);
  const [owner] = report.metadata.ownerReferences ?? [];
  assert.partialDeepStrictEqual(owner, { apiVersion: 'v1', kind: 'Node', name: 'node-change' });

  const other = await startAnswering(t);
  await publishMirrors(apiserver, [mirror(other.url)]);
  await eventually(async () => assert.match(await agent.read(host), new RegExp(other.url)), soon);

  await publishMirrors(apiserver, []);
  await eventually(async () => assert.deepEqual(await readdir(agent.certs), []), soon);
  await eventually(async () => assert.deepEqual((await agent.report()).status?.hosts, []), soon);
});

test('an edited file, a removed file and a removed directory are repaired', async (t) => {
  const registryServer = await startAnswering(t);
  const agent = await startAgent(t, apiserver, { node: 'node-repair' });
  await publishMirrors(apiserver, [mirror(registryServer.url)]);
  const text = await eventually(() => agent.read(host), soon);
  const path = join(agent.certs, host, 'hosts.toml');
  const repairs = [
    () => writeFile(path, 'server = "https://example.com"\n'),
    () => writeFile(path, `${text}# edited\n`),
    () => rm(path),
    () => rm(join(agent.certs, host), { recursive: true }),
  ];
  // The first one removes our marker, so that the file is somebody else's: it is not repaired but told.
  for (const damage of repairs.slice(1)) {
    await damage();
    await eventually(async () => assert.equal(await agent.read(host), text), soon);
  }
  await repairs[0]?.();
  await eventually(async () => assert.equal((await agent.report()).status?.hosts[0]?.state, 'Conflict'), soon);
  await rm(path);
  await eventually(async () => assert.equal(await agent.read(host), text), soon);
  await publishMirrors(apiserver, []);
  await eventually(async () => assert.deepEqual(await readdir(agent.certs), []), soon);
});

test('a foreign file is left alone and reported with its path', async (t) => {
  const certs = await temporaryFolder(t);
  await mkdir(join(certs, host));
  await writeFile(join(certs, host, 'hosts.toml'), 'server = "https://example.com"\n');
  const agent = await startAgent(t, apiserver, { node: 'node-foreign', certs });
  await publishMirrors(apiserver, [mirror('http://127.0.0.1:1')]);
  const [report] = await eventually(async () => {
    const { status } = await agent.report();
    assert.equal(status?.hosts.length, 1);
    return status?.hosts ?? [];
  }, soon);
  assert.equal(report?.state, 'Conflict');
  assert.match(report?.message ?? '', new RegExp(join(certs, host, 'hosts.toml')));
  assert.equal(await agent.read(host), 'server = "https://example.com"\n');
});

test('an address that does not answer is reported with the cause, and found again when it does', async (t) => {
  const registryServer = await startAnswering(t);
  await registryServer.stop();
  const agent = await startAgent(t, apiserver, { node: 'node-unreachable' });
  await publishMirrors(apiserver, [mirror(registryServer.url)]);
  await eventually(async () => {
    const [report] = (await agent.report()).status?.hosts ?? [];
    assert.equal(report?.state, 'Unreachable');
    assert.match(report?.message ?? '', /connection refused/);
  }, soon);
  const again = await startAnswering(t);
  await publishMirrors(apiserver, [{ host, registry, endpoints: [registryServer.url, again.url] }]);
  await eventually(async () => {
    const [report] = (await agent.report()).status?.hosts ?? [];
    assert.partialDeepStrictEqual(report, { state: 'Configured', endpoint: again.url });
  }, soon);
});

test('a ConfigMap that is gone or cannot be read takes nothing from the node', async (t) => {
  const registryServer = await startAnswering(t);
  const agent = await startAgent(t, apiserver, { node: 'node-missing' });
  await publishMirrors(apiserver, [mirror(registryServer.url)]);
  const text = await eventually(() => agent.read(host), soon);

  await publishText(apiserver, '{"version":2}');
  await eventually(async () => assert.match((await agent.report()).status?.message ?? '', /version 2/), soon);
  assert.equal(await agent.read(host), text);

  await unpublish(apiserver);
  await eventually(async () => assert.equal((await agent.health('/readyz')).status, 200), soon);
  await writeFile(join(agent.certs, host, 'hosts.toml'), `${text}# edited\n`);
  await eventually(async () => assert.equal(await agent.read(host), text), soon);

  // Started anew it knows nothing, and so touches nothing.
  assert.equal(await agent.kill('SIGTERM'), 0);
  assert.equal(await agent.read(host), text);
  await agent.start();
  await eventually(async () => assert.equal((await agent.health('/readyz')).status, 200));
  assert.equal(await agent.read(host), text);
  await publishMirrors(apiserver, []);
  await eventually(async () => assert.deepEqual(await readdir(agent.certs), []), soon);
});

test('a report that somebody removed or changed is there again with the next sync', async (t) => {
  const agent = await startAgent(t, apiserver, { node: 'node-report', env: { SYNC_PERIOD: '1s' } });
  const text = await publishMirrors(apiserver, [mirror('http://127.0.0.1:1')]);
  const revision = mirrorsRevision(text);
  const reported = async (): Promise<void> => assert.equal((await agent.report()).status?.revision, revision);
  await eventually(reported, soon);
  await apiserver.kubectl(['delete', 'nodemirror', 'node-report']);
  await eventually(reported, soon);
  const patch = ['--subresource=status', '--type=merge', '-p', '{"status":{"revision":"x"}}'];
  await apiserver.kubectl(['patch', 'nodemirror', 'node-report', ...patch]);
  await eventually(reported, soon);
});

test('an API server that is away keeps nothing from being repaired', async (t) => {
  const registryServer = await startAnswering(t);
  const agent = await startAgent(t, apiserver, { node: 'node-alone' });
  await publishMirrors(apiserver, [mirror(registryServer.url)]);
  const text = await eventually(() => agent.read(host), soon);
  await apiserver.stop();
  try {
    await writeFile(join(agent.certs, host, 'hosts.toml'), `${text}# edited\n`);
    await eventually(async () => assert.equal(await agent.read(host), text), soon);
    assert.equal((await agent.health('/livez')).status, 200);
  } finally {
    await apiserver.start();
  }
  await publishMirrors(apiserver, []);
  await eventually(async () => assert.deepEqual(await readdir(agent.certs), []), { timeoutMs: 30_000 });
});

test('the files of a node look the same to two agents in turn, as in an upgrade', async (t) => {
  const registryServer = await startAnswering(t);
  const first = await startAgent(t, apiserver, { node: 'node-upgrade' });
  await publishMirrors(apiserver, [mirror(registryServer.url), mirror(registryServer.url, 'localhost:5001')]);
  await eventually(() => first.read('localhost:5001'), soon);
  await first.kill('SIGTERM');
  const path = join(first.certs, host, 'hosts.toml');
  const before = await readFile(path, 'utf8');
  const second = await startAgent(t, apiserver, { node: 'node-upgrade', certs: first.certs });
  await eventually(async () => assert.equal((await second.health('/readyz')).status, 200));
  assert.equal(await readFile(path, 'utf8'), before);
  await publishMirrors(apiserver, []);
  await eventually(async () => assert.deepEqual(await readdir(first.certs), []), soon);
});

test('an agent reports for its own node only', async (t) => {
  await publishMirrors(apiserver, [mirror('http://127.0.0.1:1')]);
  const agent = await startAgent(t, apiserver, { node: 'node-honest' });
  await eventually(() => agent.report(), soon);
  const liar = await startAgent(t, apiserver, { node: 'node-liar', env: { NODE_NAME: 'node-honest' } });
  await eventually(
    () => assert.match(liar.output(), /mirror agent of node node-liar may not report for node node-honest/),
    soon,
  );
});
