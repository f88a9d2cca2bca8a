/** Blobs that another registry's crash left cut short or empty, as a server finds them at its start. */
import assert from 'node:assert/strict';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { image, type Content } from '#test/support/content.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { startRegistry, type TestRegistry } from '#test/support/registry.ts';

const pushed = image('cut short', { layers: [3_000_000] });
const [config, layer] = pushed.blobs as [Content, Content];

function dataFile({ root }: TestRegistry, { digest }: Content): string {
  const hex = digest.slice('sha256:'.length);
  return join(root, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
}

/** First requests after a start, before anybody asks for the manifest: what clients do that push. */
const looks: Record<string, (url: string) => Promise<Response>> = {
  HEAD: (url) => fetch(`${url}/v2/a/b/blobs/${layer.digest}`, { method: 'HEAD' }),
  GET: (url) => fetch(`${url}/v2/a/b/blobs/${layer.digest}`),
  'GET of a range': (url) => fetch(`${url}/v2/a/b/blobs/${layer.digest}`, { headers: { range: 'bytes=0-99' } }),
};

for (const [name, look] of Object.entries(looks)) {
  for (const length of [0, 50_000, 2_999_999]) {
    void test(`${name} of a blob of which ${length} bytes are left says that it is missing; its push heals it`, async (t) => {
      const server = await startRegistry(t);
      const client = registryClient(server.url);
      await client.pushImage('a/b', pushed, 'x');
      await server.kill('SIGKILL');
      await truncate(dataFile(server, layer), length);
      await server.start();
      const response = await look(server.url);
      await response.arrayBuffer();
      assert.equal(response.status, 404);
      assert.equal(await client.mount('c', layer.digest, 'a/b'), false);
      await client.pushBlob('a/b', layer.bytes, layer.digest);
      assert.equal((await look(server.url)).ok, true);
      assert.deepEqual(await client.blob('a/b', layer.digest), layer.bytes);
    });
  }
}

test('an empty configuration and an empty manifest are missing, and a push heals both', async (t) => {
  const server = await startRegistry(t);
  const client = registryClient(server.url);
  await client.pushImage('a/b', pushed, 'x');
  await server.kill('SIGKILL');
  for (const content of [config, pushed.manifest]) await truncate(dataFile(server, content), 0);
  await server.start();
  assert.equal(await client.blob('a/b', config.digest), undefined);
  assert.equal(await client.manifest('a/b', 'x'), undefined);
  await client.pushImage('a/b', pushed, 'x');
  assert.ok((await client.pullAll('a/b', 'x')) > 3_000_000);
});
