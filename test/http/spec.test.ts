/**
 * What distribution-spec and RFC 9110 offer beyond what the conformance suite looks at, by a client with a socket, from a
 * process with a configuration file.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { descriptor, digestOf, image, index, seededBytes, type Content } from '#test/support/content.ts';
import { registryClient, type RegistryClient } from '#test/support/registry-client.ts';
import { registryCommand, startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';

const scope = openScope();
const bytes = seededBytes('spec', 300_000);
const digest = digestOf(bytes);
const MiB = 2 ** 20;

let registry: TestRegistry;
let client: RegistryClient;

before(async () => {
  registry = await startRegistry(scope, {
    env: { REGISTRY_EXTENSIONS_MANIFESTS_MAXBYTES: '5Mi', REGISTRY_EXTENSIONS_LIMITS_WRITE_MAXRUNNING: '1' },
  });
  client = registryClient(registry.url);
  await client.pushBlob('a', bytes);
  await client.pushImage('a', image('a'), 'x');
});

after(() => scope.close());

function send(method: string, path: string, headers: Record<string, string> = {}, body?: Uint8Array | ReadableStream) {
  const payload = body ? { body: body as Uint8Array<ArrayBuffer> } : {};
  return fetch(`${registry.url}/v2/${path}`, { method, headers, duplex: 'half', ...payload });
}

function put(path: string, { mediaType, bytes: manifest }: Content, headers: Record<string, string> = {}) {
  return send('PUT', path, { 'content-type': mediaType, ...headers }, manifest);
}

async function failure(response: Response): Promise<[status: number, code: string | undefined]> {
  const { errors } = (await response.json()) as { errors: { code: string }[] };
  return [response.status, errors[0]?.code];
}

test('several ranges come as parts, and If-Range decides between a part and the whole', async () => {
  const ranges = await send('GET', `a/blobs/${digest}`, { range: 'bytes=0-9,1000-1009,-10' });
  assert.equal(ranges.status, 206);
  const [, boundary] = /^multipart\/byteranges; boundary=(\S+)$/.exec(ranges.headers.get('content-type') ?? '') ?? [];
  const body = Buffer.from(await ranges.arrayBuffer());
  assert.equal(body.length, Number(ranges.headers.get('content-length')));
  const parts = body.toString('latin1').split(`--${boundary}`).slice(1, -1);
  const wanted = [bytes.subarray(0, 10), bytes.subarray(1000, 1010), bytes.subarray(-10)];
  assert.deepEqual(
    parts.map((part) => part.slice(part.indexOf('\r\n\r\n') + 4, -2)),
    wanted.map((part) => part.toString('latin1')),
  );
  for (const [tag, status, length] of [
    [digest, 206, 10],
    [digestOf(Buffer.of()), 200, bytes.length],
  ] as const) {
    const part = await send('GET', `a/blobs/${digest}`, { range: 'bytes=0-9', 'if-range': `"${tag}"` });
    assert.deepEqual([part.status, (await part.arrayBuffer()).byteLength], [status, length]);
  }
});

test('a manifest may be as large as the configuration says, and is 413 above', async () => {
  const filled = (size: number) => image('large', { fields: { annotations: { fill: 'x'.repeat(size) } } });
  await client.pushImage('large', filled(4.5 * MiB), 'x');
  assert.deepEqual(await failure(await put('large/manifests/y', filled(5 * MiB).manifest)), [413, 'MANIFEST_INVALID']);
});

test('a request above the limit is 429, with the time to wait', async () => {
  const opened = await send('POST', 'a/blobs/uploads/');
  const location = new URL(opened.headers.get('location') ?? '').pathname.slice('/v2/'.length);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const slow = send('PATCH', location, {}, readable);
  await writer.write(bytes);
  const refused = await send('POST', 'a/blobs/uploads/');
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
  assert.deepEqual(await failure(refused), [429, 'TOOMANYREQUESTS']);
  await writer.close();
  assert.equal((await slow).status, 202);
});

test('a push by digest sets several tags', async () => {
  const { manifest } = image('a');
  const answer = await put(`a/manifests/${manifest.digest}?tag=one&tag=two`, manifest);
  assert.deepEqual([answer.status, answer.headers.get('oci-tag')], [201, 'one, two']);
  assert.equal((await client.manifest('a', 'two'))?.digest, manifest.digest);
});

test('a blob is mounted from wherever it is', async () => {
  const answer = await send('POST', `elsewhere/blobs/uploads/?mount=${digest}`);
  assert.deepEqual([answer.status, answer.headers.get('docker-content-digest')], [201, digest]);
  assert.deepEqual(await client.blob('elsewhere', digest), bytes);
});

test('sha512 content is announced, stored, served, and outlives a garbage collection', async () => {
  const of512 = digestOf(bytes, 'sha512');
  assert.deepEqual(await failure(await send('POST', 'b/blobs/uploads/?digest-algorithm=md5')), [400, 'DIGEST_INVALID']);
  const opened = await send('POST', 'b/blobs/uploads/?digest-algorithm=sha512');
  const location = new URL(opened.headers.get('location') ?? '').pathname.slice('/v2/'.length);
  assert.equal((await send('PATCH', location, {}, bytes)).status, 202);
  assert.equal((await send('PUT', `${location}?digest=${of512}`)).status, 201);
  const [config] = image('b').blobs as [Content];
  await client.pushBlob('b', config.bytes);
  const layer = { mediaType: 'application/octet-stream', bytes, digest: of512 };
  const { manifest } = image('b', { layers: [], fields: { layers: [descriptor(layer)] } });
  const named = digestOf(manifest.bytes, 'sha512');
  assert.equal((await put(`b/manifests/${named}?tag=x`, manifest)).status, 201);
  const [command = '', ...args] = await registryCommand('ours');
  await promisify(execFile)(command, [...args, 'garbage-collect', registry.configFile]);
  const answer = await send('GET', `b/manifests/${named}`);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), manifest.bytes);
  assert.deepEqual(await client.blob('b', of512), bytes);
});

test('referrers are those of the fallback tag and those that were pushed since, page after page', async () => {
  const subject = image('subject').manifest;
  const fat = { annotations: { fill: 'x'.repeat(1.5 * MiB) }, subject: descriptor(subject) };
  const referrers = ['1', '2', '3'].map((seed) => image(seed, { fields: fat }));
  for (const referrer of referrers) await client.pushImage('r', referrer);
  await client.pushManifest('r', index(referrers.slice(0, 1)), subject.digest.replace(':', '-'));
  const found: string[] = [];
  let pages = 0;
  for (let next: string | undefined = `r/referrers/${subject.digest}`; next !== undefined; pages++) {
    const answer: Response = await send('GET', next);
    const { manifests } = (await answer.json()) as { manifests: { digest: string }[] };
    found.push(...manifests.map((manifest) => manifest.digest));
    next = /<\/v2\/([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  assert.deepEqual(found.toSorted(), referrers.map(({ manifest }) => manifest.digest).toSorted());
  assert.ok(pages > 1);
});

test('containerd may say of which registry this is a mirror; the answer is the same, and claims nothing', async () => {
  for (const path of ['a/manifests/x', `a/blobs/${image('a').blobs[0]?.digest}`]) {
    const answer = await send('HEAD', `${path}?ns=docker.io`);
    assert.deepEqual([answer.status, answer.headers.get('oci-namespace')], [200, null]);
  }
});
