/** TLS and certificates of clients, with certificates that openssl makes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { parseConfiguration } from '#registry/config/load.ts';
import { loadTls } from '#registry/tls.ts';
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

/** Serves with `tls` of a configuration; gives a function that sends a request with a client's certificate, or none. */
async function serve(t: Scope, tls: Record<string, unknown> = {}) {
  const { cert: certificate, key } = files.server;
  const source = { version: '0.1', storage: 'inmemory', http: { tls: { certificate, key, ...tls } } };
  const loaded = await loadTls(parseConfiguration(JSON.stringify(source), {}).configuration.http.tls);
  assert.ok(loaded);
  const { app } = await registryApp(t, { tls: loaded });
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
