/** TLS and certificates of clients, with certificates that openssl makes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions, type Server } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { parseConfiguration } from '#registry/config/load.ts';
import { createDrain } from '#registry/serve/drain.ts';
import { createRegistryLogger } from '#registry/serve/logging.ts';
import { createTlsReload } from '#registry/serve/tls-reload.ts';
import { loadTls } from '#registry/serve/tls.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryApp } from '#test/support/registry-app.ts';
import { openScope, type Scope } from '#test/support/scope.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

const run = promisify(execFile);
const names = ['server', 'client', 'stranger'] as const;
type Name = (typeof names)[number];

const scope = openScope();
const files = {} as Record<Name, { cert: string; key: string }>;

before(async () => {
  const folder = await temporaryFolder(scope);
  for (const name of names) files[name] = await selfSigned(folder, name);
});

test.after(() => scope.close());

async function selfSigned(folder: string, name: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', ['req', '-x509', ...algorithm, ...subject, '-keyout', key, '-out', cert]);
  return { cert, key };
}

function configured(tls: Record<string, unknown>) {
  const source = { version: '0.1', storage: 'inmemory', http: { tls } };
  return parseConfiguration(JSON.stringify(source), {}).configuration.http.tls;
}

async function tlsApp(t: Scope, tls: Record<string, unknown> = {}) {
  const { cert: certificate, key } = files.server;
  const loaded = await loadTls(configured({ certificate, key, ...tls }));
  assert.ok(loaded);
  return registryApp(t, { tls: loaded });
}

/** Serves with `tls` of a configuration; gives a function that sends a request with a client's certificate, or none. */
async function serve(t: Scope, tls: Record<string, unknown> = {}) {
  const { app } = await tlsApp(t, tls);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return async (client?: Name, options: RequestOptions = {}) => {
    const own = client && { cert: await readFile(files[client].cert), key: await readFile(files[client].key) };
    const ca = await readFile(files.server.cert);
    return send({ host: '127.0.0.1', port, path: '/v2/a/blobs/uploads/', method: 'POST', ca, ...own, ...options });
  };
}

function send(options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request({ ...options, agent: false }, (response) => {
      response
        .resume()
        .once('end', () => resolve(response))
        .once('error', reject);
    });
    sent.once('error', reject).end();
  });
}

test('addresses that are given are https; older versions than the least one are refused', async (t) => {
  const post = await serve(t, { minimumtls: 'tls1.3' });
  assert.match((await post()).headers.location ?? '', /^https:\/\/127\.0\.0\.1:\d+\/v2\/a\/blobs\/uploads\//);
  await assert.rejects(post(undefined, { maxVersion: 'TLSv1.2' }));
});

test('only the cipher suites that are named are spoken; without names, those that distribution offers', async (t) => {
  const [aes256, aes128, cbc] = ['AES256-GCM-SHA384', 'AES128-GCM-SHA256', 'AES128-SHA'].map((suite) => ({
    maxVersion: 'TLSv1.2' as const,
    ciphers: `ECDHE-ECDSA-${suite}`,
  }));
  const named = await serve(t, { ciphersuites: ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384'] });
  assert.equal((await named(undefined, aes256)).statusCode, 202);
  await assert.rejects(named(undefined, aes128));
  const usual = await serve(t);
  assert.equal((await usual(undefined, aes128)).statusCode, 202);
  await assert.rejects(usual(undefined, cbc));
  const newest = await serve(t, { ciphersuites: ['TLS_AES_128_GCM_SHA256'] });
  assert.equal((await newest()).statusCode, 202);
  await assert.rejects(newest(undefined, aes256));
});

test('connections of which the TLS has not begun, and silent ones, do not keep the server from closing', async (t) => {
  const { app } = await tlsApp(t);
  const drain = createDrain(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const [plain, half] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  const secure = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
  for (const socket of [plain, half, secure]) socket.on('error', () => {}).resume();
  half.write(Buffer.from([0x16, 0x03, 0x01])); // the beginning of a ClientHello
  await once(secure, 'secureConnect');
  await drain(2000);
  await eventually(() => assert.ok(plain.closed && half.closed && secure.closed));
});

test('a file that is missing stops the start, by its name', async () => {
  const { cert: certificate } = files.server;
  await assert.rejects(
    loadTls(configured({ certificate, key: `${certificate}.gone` })),
    /http\.tls: .*\.gone can't be read/,
  );
});

const demands: [clientauth: string | undefined, admitted: (Name | undefined)[]][] = [
  [undefined, ['client']],
  ['require-and-verify-client-cert', ['client']],
  ['require-any-client-cert', ['client', 'stranger']],
  ['verify-client-cert-if-given', ['client', undefined]],
  ['request-client-cert', ['client', 'stranger', undefined]],
];

for (const [clientauth, admitted] of demands) {
  test(`clientcas with clientauth ${clientauth ?? 'absent'} admits ${admitted.map(String).join(', ')}`, async (t) => {
    const post = await serve(t, {
      clientcas: [files.client.cert],
      ...(clientauth === undefined ? {} : { clientauth }),
    });
    for (const client of ['client', 'stranger', undefined] as const) {
      if (admitted.includes(client)) assert.equal((await post(client)).statusCode, 202);
      else await assert.rejects(post(client), String(client));
    }
  });
}

/** All at once: a reader that finds half of a file has one more thing to complain of. */
async function replace(from: string, to: string): Promise<void> {
  await copyFile(from, `${to}.new`);
  await rename(`${to}.new`, to);
}

/** Serves from files that the test changes, and reads them all the time. */
async function serveChanging(t: Scope) {
  const folder = await temporaryFolder(t);
  const paths = {
    certificate: join(folder, 'tls.crt'),
    key: join(folder, 'tls.key'),
    clientca: join(folder, 'ca.crt'),
  };
  const use = async (server: Name, client: Name, key = server) => {
    await replace(files[server].cert, paths.certificate);
    await replace(files[key].key, paths.key);
    await replace(files[client].cert, paths.clientca);
  };
  await use('server', 'client');
  const tls = configured({ certificate: paths.certificate, key: paths.key, clientcas: [paths.clientca] });
  const loaded = await loadTls(tls);
  assert.ok(loaded);
  const { app } = await registryApp(t, { tls: loaded });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const lines: string[] = [];
  const logger = createRegistryLogger(
    { level: 'info', formatter: 'text', fields: {} },
    { write: (line) => void lines.push(line) },
  );
  const controller = new AbortController();
  const server = app.server as Server;
  const reload = createTlsReload({ tls, current: loaded.options, server, logger, intervalMs: 5 });
  const done = reload.run(controller.signal);
  t.after(() => {
    controller.abort();
    return done;
  });
  const { port } = app.server.address() as AddressInfo;
  return { use, paths, lines, port };
}

/** The name in the certificate that the server shows to a client with this one. */
async function shown(port: number, client: Name): Promise<unknown> {
  const [cert, key] = await Promise.all([readFile(files[client].cert), readFile(files[client].key)]);
  const options = { host: '127.0.0.1', port, path: '/v2/', cert, key, rejectUnauthorized: false };
  const { socket } = await send(options);
  return (socket as TLSSocket).getPeerCertificate().subject?.CN;
}

test('new connections get the certificates, and need those, that the files have now', async (t) => {
  const { use, port } = await serveChanging(t);
  assert.equal(await shown(port, 'client'), 'server');
  await use('stranger', 'server');
  await eventually(async () => assert.equal(await shown(port, 'server'), 'stranger'));
  await assert.rejects(shown(port, 'client'));
});

test('files that are broken or do not belong together change nothing, and are said once', async (t) => {
  const { use, paths, lines, port } = await serveChanging(t);
  const complaints = () => lines.filter((line) => line.includes('not usable'));
  const breaks = [
    () => use('stranger', 'client', 'server'),
    () => writeFile(paths.certificate, '-----BEGIN CERTIFICATE-----\nAAAA'),
    () => rm(paths.certificate),
  ];
  for (const broken of breaks) {
    const before = complaints().length;
    await broken();
    await eventually(() => assert.ok(complaints().length > before, lines.join('')));
    assert.equal(await shown(port, 'client'), 'server');
  }
  await use('stranger', 'client');
  await eventually(async () => assert.equal(await shown(port, 'client'), 'stranger'));
  assert.ok(complaints().length < 10, lines.join(''));
});
