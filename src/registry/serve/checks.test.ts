import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { registryApp } from '#test/support/registry-app.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { configuredChecks } from './checks.ts';
import { parseConfiguration } from '#registry/config/load.ts';

const never = new AbortController().signal;

test('each configured check finds what it looks for', async (t) => {
  const file = join(await temporaryFolder(t), 'maintenance');
  const server = createServer((request, response) => response.writeHead(request.url === '/ok' ? 200 : 500).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const health = {
    storagedriver: { enabled: true },
    file: [{ file }],
    http: [{ uri: `http://127.0.0.1:${port}/ok` }, { uri: `http://127.0.0.1:${port}/bad` }],
    tcp: [{ addr: `127.0.0.1:${port}` }],
  };
  const source = JSON.stringify({ version: '0.1', storage: 'inmemory', health });
  const { store } = await registryApp(t);
  const checks = configuredChecks(parseConfiguration(source, {}).configuration.health, 'inmemory', store);
  const [storage, absent, good, bad, tcp] = checks.map((check) => check.run);
  assert.equal(checks[0]?.name, 'storagedriver_inmemory');
  await storage?.(never);
  await absent?.(never);
  await good?.(never);
  await tcp?.(never);
  await assert.rejects(async () => bad?.(never), /unexpected status: 500/);
  await writeFile(file, '');
  await assert.rejects(async () => absent?.(never), /file exists/);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await assert.rejects(async () => tcp?.(never), /ECONNREFUSED/);
});

/** Of IPv4, since not every machine has the other one. */
test('an address may stand in brackets, as those of IPv6 do', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const tcp = [{ addr: `[127.0.0.1]:${(server.address() as AddressInfo).port}` }];
  const source = JSON.stringify({ version: '0.1', storage: 'inmemory', health: { tcp } });
  const { store } = await registryApp(t);
  const [check] = configuredChecks(parseConfiguration(source, {}).configuration.health, 'inmemory', store);
  await check?.run(never);
});
