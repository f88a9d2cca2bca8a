/** Three servers on one volume, as the replicas of a Registry with a ReadWriteMany claim: each sees at once what the others do. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { content, digestOf, image, index, mediaTypes, seededBytes } from '#test/support/content.ts';
import { registryClient, type RegistryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';
import { openScope } from '#test/support/scope.ts';
import { eventually } from '#test/support/eventually.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { uploadsTo, type LeftUpload } from './crash-storm/uploads.ts';

const scope = openScope();
const servers: TestRegistry[] = [];
const clients: RegistryClient[] = [];

before(async () => {
  const root = await temporaryFolder(scope);
  for (let count = 0; count < 3; count++) servers.push(await startRegistry(scope, { root }));
  clients.push(...servers.map(({ url }) => registryClient(url)));
});

after(() => scope.close());

function three<T>(all: T[]): [T, T, T] {
  return all as [T, T, T];
}

/** The same upload at another server. */
function at({ url }: TestRegistry, upload: LeftUpload): LeftUpload {
  const { pathname, search } = upload.location;
  return { ...upload, location: new URL(pathname + search, url) };
}

test('what one server took, all give: images, indexes, lists of tags', async () => {
  const [a, b, c] = three(clients);
  const images = [image('seen/amd64'), image('seen/arm64')];
  for (const child of images) await a.pushImage('seen', child);
  await b.pushManifest('seen', index(images), 'x');
  for (const client of clients) {
    assert.ok((await client.pullAll('seen', 'x')) > 0);
    assert.deepEqual(await client.tags('seen'), ['x']);
  }
  await c.pushManifest('seen', images[0]!.manifest, 'y');
  for (const client of clients) assert.deepEqual(await client.tags('seen'), ['x', 'y']);
});

test('a blob that one server took is mounted by another one, and what is pushed on top of it is whole', async () => {
  const [a, b, c] = three(clients);
  const pushed = image('mounted', { layers: [200_000] });
  await a.pushImage('mount/from', pushed, 'x');
  for (const { digest } of pushed.blobs) assert.ok(await b.mount('mount/to', digest, 'mount/from'));
  await c.pushManifest('mount/to', pushed.manifest, 'x');
  for (const client of clients) assert.ok((await client.pullAll('mount/to', 'x')) > 200_000);
});

test('a tag that moves or goes at one server does so at all', async () => {
  const versions = Array.from({ length: 9 }, (_, number) => image(`moving/${number}`));
  for (const [number, version] of versions.entries()) {
    await clients[number % 3]!.pushImage('moving', version, 'latest');
    for (const client of clients) {
      assert.equal((await client.manifest('moving', 'latest'))?.digest, version.manifest.digest);
    }
  }
  const [a, b, c] = three(clients);
  await b.deleteManifest('moving', 'latest');
  for (const client of clients) {
    assert.equal(await client.manifest('moving', 'latest'), undefined);
    assert.deepEqual(await client.tags('moving'), []);
  }
  const { manifest, blobs } = versions[0]!;
  await c.deleteManifest('moving', manifest.digest);
  for (const client of clients) assert.equal(await client.manifest('moving', manifest.digest), undefined);
  await a.deleteBlob('moving', blobs[0]!.digest);
  for (const client of clients) assert.equal(await client.blob('moving', blobs[0]!.digest), undefined);
});

/** A chunk of which the first part has been sent, and the second one waits. */
function haltedPatch({ location }: LeftUpload, first: Uint8Array, second: Uint8Array) {
  const gate = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(first);
      await gate.promise;
      controller.enqueue(second);
      controller.close();
    },
  });
  const answer = fetch(location, { method: 'PATCH', body, duplex: 'half' });
  return {
    /** The status in the end. */
    async goOn(): Promise<number> {
      gate.resolve();
      return (await answer).status;
    },
  };
}

/** The upload when so many bytes are on the disk. */
async function arrived(upload: LeftUpload, bytes: number): Promise<LeftUpload> {
  return eventually(async () => {
    assert.ok(await uploadsTo(upload.location.origin).resume(upload));
    assert.equal(upload.acknowledged, bytes);
    return upload;
  });
}

/** In bytes: written by the server's own thread, and by threads that large uploads are handed to. */
for (const size of [60_000, 9_000_000]) {
  test(`an upload of ${size} bytes goes on at another server, and back again`, async () => {
    const [a, b, c] = three(servers);
    const { bytes, digest } = content(mediaTypes.layer, seededBytes(`turns/${size}`, size));
    const [first, second] = [Math.floor(size / 3), Math.floor((2 * size) / 3)];
    let upload = await uploadsTo(a.url).begin('turns', bytes, digest);
    for (const [server, end] of [
      [a, first],
      [b, second],
      [a, size],
    ] as const) {
      upload = at(server, upload);
      const acknowledged = upload.acknowledged;
      assert.ok(await uploadsTo(server.url).resume(upload));
      assert.equal(upload.acknowledged, acknowledged);
      await uploadsTo(server.url).send(upload, end);
    }
    await uploadsTo(c.url).finish(at(c, upload));
    for (const client of clients) assert.deepEqual(await client.blob('turns', digest), bytes);
    for (const { url } of servers) {
      const left = { ...at({ url } as TestRegistry, upload), ending: true };
      assert.equal(await uploadsTo(url).resume(left), false);
    }
  });
}

test('an upload that is cancelled at one server is gone at all, also for who is writing to it', async () => {
  const [a, b] = three(servers);
  const bytes = seededBytes('cancelled', 4_000_000);
  const upload = await uploadsTo(a.url).begin('cancelled', bytes, digestOf(bytes));
  const half = bytes.subarray(0, 2_000_000);
  const writing = haltedPatch(upload, half, half);
  await arrived(at(b, upload), half.length);
  assert.equal((await fetch(at(b, upload).location, { method: 'DELETE' })).status, 204);
  for (const server of servers) assert.equal((await fetch(at(server, upload).location)).status, 404);
  assert.equal(await writing.goOn(), 404);
});

for (const begunBy of ['the one that it left', 'the one that it goes to'] as const) {
  test(`bytes that reach a server late, of an upload that ended at another one and was begun at ${begunBy}`, async () => {
    const [a, b, c] = three(servers);
    const { bytes, digest } = content(mediaTypes.layer, seededBytes(`late/${begunBy}`, 9_000_000));
    const half = 4_000_000;
    const begun = await uploadsTo(begunBy === 'the one that it left' ? a.url : b.url).begin('late', bytes, digest);
    const writing = haltedPatch(at(a, begun), bytes.subarray(0, half), bytes.subarray(half));
    const upload = await arrived(at(b, begun), half);
    await uploadsTo(b.url).send(upload, bytes.length);
    await uploadsTo(b.url).finish(upload);
    assert.deepEqual(await registryClient(c.url).blob('late', digest), bytes);
    assert.equal(await writing.goOn(), 404);
    for (const client of clients) assert.deepEqual(await client.blob('late', digest), bytes);
  });
}
