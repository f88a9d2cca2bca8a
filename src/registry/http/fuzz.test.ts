/** No request, however odd, is answered with a 5xx, left without an answer, or ends the process. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { digestOf, image } from '#test/support/content.ts';
import { registryApp } from '#test/support/registry-app.ts';

const digest = digestOf(image('fuzz').blobs[1]?.bytes ?? Buffer.alloc(0));
const uuid = '01234567-89ab-4cde-8f01-23456789abcd';

const segment = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'manifests',
    'blobs',
    'uploads',
    'tags',
    'list',
    'referrers',
    '_catalog',
    '',
    '.',
    '..',
    '%2e%2e',
  ),
  fc.constantFrom(
    digest,
    `${digest}0`,
    'sha256:',
    'sha512:00',
    'x',
    '%00',
    '%ff',
    '%',
    uuid,
    'A',
    '-',
    '_',
    'a'.repeat(300),
  ),
  fc.stringMatching(/^[!-~]{0,8}$/),
);
const path = fc.oneof(
  fc.array(segment, { maxLength: 6 }).map((segments) => `/v2/${segments.join('/')}`),
  fc
    .constantFrom('a/manifests/x', `a/blobs/${digest}`, 'a/blobs/uploads/', `a/blobs/uploads/${uuid}`, 'a/tags/list')
    .map((p) => `/v2/${p}`),
  fc.stringMatching(/^\/[!-~]{0,30}$/),
);
const number = fc.oneof(fc.integer().map(String), fc.constantFrom('', 'x', '1e9', '-1', '99999999999999999999', '0x1'));
const query = fc.array(
  fc.oneof(
    fc.tuple(
      fc.constantFrom('n', 'last', 'digest', 'mount', 'from', 'tag', 'digest-algorithm', 'artifactType', 'ns'),
      fc.oneof(number, segment),
    ),
    fc.tuple(fc.stringMatching(/^[!-~]{0,5}$/), fc.stringMatching(/^[!-~]{0,5}$/)),
  ),
  { maxLength: 4 },
);
const range = fc
  .tuple(fc.constantFrom('bytes=', 'bytes ', '', 'lines='), number, fc.constantFrom('-', ',', ''), number)
  .map((parts) => parts.join(''));
const header = fc.oneof(
  fc.tuple(fc.constantFrom('Range', 'Content-Range', 'If-Range', 'If-None-Match'), fc.oneof(range, segment)),
  fc.tuple(
    fc.constantFrom(
      'Accept',
      'Content-Type',
      'Forwarded',
      'X-Forwarded-Host',
      'X-Forwarded-Proto',
      'X-Request-Id',
      'Authorization',
    ),
    fc.stringMatching(/^[!-~ ]{0,20}$/),
  ),
  fc.constantFrom<[string, string]>(
    ['Content-Type', 'application/vnd.oci.image.manifest.v1+json'],
    ['Expect', '100-continue'],
    ['Expect', 'the unexpected'],
    ['Content-Encoding', 'gzip'],
  ),
);
const json = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc
    .record(
      {
        schemaVersion: fc.constantFrom<unknown>(2, 1, '2', null),
        mediaType: fc.anything(),
        config: fc.anything(),
        layers: fc.anything(),
        manifests: fc.anything(),
        subject: fc.anything(),
      },
      { requiredKeys: [] },
    )
    .map((value) => jsonOf(value)),
  fc.string(),
);
const request = fc.record({
  method: fc.constantFrom(
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'QUERY',
    'X',
  ),
  path,
  query,
  headers: fc.array(header, { maxLength: 4 }),
  body: fc.oneof(fc.constant(''), json),
});

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '{"schemaVersion":2}';
  }
}

type Request = typeof request extends fc.Arbitrary<infer T> ? T : never;

function textOf({ method, path: target, query: pairs, headers, body }: Request): string {
  const search = pairs.length > 0 ? `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}` : '';
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${target}${search} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines}${length}\r\n${body}`;
}

test('no request is answered with a 5xx', async (t) => {
  const { app, pushImage, send } = await registryApp(t);
  await pushImage('a', image('fuzz'), 'x');
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const answer = (text: string) =>
    new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(port, '127.0.0.1').setEncoding('latin1');
      socket.on('data', (chunk: string) => (received += chunk)).on('error', () => undefined);
      socket.once('close', () => resolve(received));
      socket.write(text);
    });
  const property = fc.asyncProperty(request, async (given) => {
    const received = await answer(textOf(given));
    const statuses = [...received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
    assert.ok(statuses.length > 0, 'no answer');
    assert.ok(
      statuses.every((status) => status < 500),
      received,
    );
  });
  await fc.assert(property, { numRuns: 3000, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false });
  await pushImage('c', image('afterwards'), 'x');
  assert.equal((await send('GET', 'c/manifests/x')).statusCode, 200);
});
