/** `auth` of config.yml, by the registry as a process. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportJWK, SignJWT } from 'jose';
import { eventually } from '#test/support/eventually.ts';
import { freePorts } from '#test/support/free-port.ts';
import { mainFile } from '#test/support/registry.ts';
import type { Scope } from '#test/support/scope.ts';
import { startServerProcess } from '#test/support/server-process.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

/** A registry that answers 401 to everybody is ready. */
async function start(t: Scope, auth: object) {
  const [addr = ''] = (await freePorts(1)).map((port) => `127.0.0.1:${port}`);
  const file = join(await temporaryFolder(t), 'config.yml');
  await writeFile(file, JSON.stringify({ version: '0.1', storage: 'inmemory', http: { addr }, auth }));
  const get = (path: string, authorization?: string, method = 'GET') =>
    fetch(`http://${addr}${path}`, { method, headers: authorization === undefined ? {} : { authorization } });
  const server = await startServerProcess({
    command: process.execPath,
    args: [mainFile, 'registry', 'serve', file],
    ready: async () => assert.equal((await get('/v2/')).status, 401),
  });
  t.after(async () => void (await server.kill('SIGKILL')));
  return { get, server };
}

test('htpasswd: the user of a file that was missing is in the log, and gets in', async (t) => {
  const path = join(await temporaryFolder(t), 'htpasswd');
  const { get, server } = await start(t, { htpasswd: { realm: 'here', path } });
  // Written before it listens, but what comes by a pipe may be read later than what comes by a socket.
  const password = await eventually(() => {
    const [, found] = /password="?([\w-]{43})/.exec(server.output()) ?? [];
    assert.ok(found);
    return found;
  });
  const header = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
  assert.equal((await get('/v2/')).headers.get('www-authenticate'), 'Basic realm="here"');
  assert.equal((await get('/v2/', header(`docker:${password}`))).status, 200);
  assert.equal((await get('/v2/_catalog', header(`docker:${password}`))).status, 200);
  assert.equal((await get('/v2/', header('docker:guess'))).status, 401);
  assert.equal((await get('/')).status, 200, 'the probe of distribution needs no login');
});

test('token: a key set decides who may pull and push what', async (t) => {
  const jwks = join(await temporaryFolder(t), 'jwks.json');
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(jwks, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] }));
  const { get } = await start(t, { token: { realm: 'https://auth/token', service: 's', issuer: 'i', jwks } });
  const bearer = async (actions: string[]) => {
    const claims = new SignJWT({ access: [{ type: 'repository', name: 'a/b', actions }] });
    const signed = claims.setProtectedHeader({ alg: 'EdDSA', kid: 'k' }).setIssuer('i').setAudience('s');
    return `Bearer ${await signed.setSubject('somebody').setExpirationTime('1 minute').sign(privateKey)}`;
  };
  const pull = await bearer(['pull']);
  assert.equal((await get('/v2/', pull)).status, 200);
  assert.equal((await get('/v2/a/b/tags/list', pull)).status, 404);
  const refused = await get('/v2/a/b/blobs/uploads/', pull, 'POST');
  assert.equal(refused.status, 401);
  assert.equal(
    refused.headers.get('www-authenticate'),
    'Bearer realm="https://auth/token",service="s",scope="repository:a/b:pull,push",error="insufficient_scope"',
  );
  assert.equal((await get('/v2/a/b/blobs/uploads/', await bearer(['pull', 'push']), 'POST')).status, 202);
  assert.equal((await get('/v2/c/tags/list', pull)).status, 401);
  assert.equal((await get('/v2/_catalog', pull)).status, 401);
});

test('silly: any header will do', async (t) => {
  const { get } = await start(t, { silly: { realm: 'r', service: 's' } });
  assert.equal((await get('/v2/_catalog', 'seriously, anything')).status, 200);
});
