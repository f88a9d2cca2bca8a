/** The scrub in a real server, and as a command beside it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { image, seededBytes, type Content } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { mainFile, startRegistry, type TestRegistry } from '#test/support/registry.ts';

const run = promisify(execFile);

const pushed = image('scrubbed', { layers: [3_000_000, 200_000] });
const [, layer] = pushed.blobs as [Content, Content];

function dataFile({ root }: TestRegistry, { digest }: Content): string {
  const hex = digest.slice('sha256:'.length);
  return join(root, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
}

/**
 * Of the same length: nothing but the content shows it. All at once, so that a scrub that is just reading the file sees the one
 * content or the other, and not a file that changed meanwhile, which it leaves for the next time.
 */
async function garble(file: string, position = 1_500_000): Promise<void> {
  const bytes = await readFile(file);
  seededBytes('noise', 512).copy(bytes, position);
  await writeFile(`${file}.garbled`, bytes);
  await rename(`${file}.garbled`, file);
}

async function head({ url }: TestRegistry, digest: string): Promise<number> {
  return (await fetch(`${url}/v2/a/b/blobs/${digest}`, { method: 'HEAD' })).status;
}

interface Usage {
  blobs: number;
  bytes: number;
}

async function usage({ debugUrl }: TestRegistry): Promise<Usage> {
  const { blobs, bytes } = (await (await fetch(`${debugUrl}/debug/usage`)).json()) as Usage;
  return { blobs, bytes };
}

test('a large blob that the disk garbles is found, is missing, and is healed by the next push', async (t) => {
  const extensions = { scrub: { interval: '100ms', bytespersecond: 0 }, garbagecollection: { interval: '100ms' } };
  const server = await startRegistry(t, { config: { extensions } });
  const client = registryClient(server.url);
  await client.pushImage('a/b', pushed, 'x');
  const before = await usage(server);
  const file = dataFile(server, layer);
  await garble(file);
  await eventually(async () => assert.equal(await head(server, layer.digest), 404));
  assert.equal(await client.blob('a/b', layer.digest), undefined);
  // The line comes after the move, and by a pipe.
  await eventually(() => assert.match(server.output(), new RegExp(`was set aside.*${layer.digest}`, 's')));
  assert.match(server.output(), /a\/b/);
  const after = await usage(server);
  assert.deepEqual([before.blobs - after.blobs, before.bytes - after.bytes], [1, layer.bytes.length]);
  const [quarantined = ''] = await readdir(join(server.root, '.registry-operator/quarantine/sha256'));
  assert.ok(quarantined.startsWith(`${layer.digest.slice('sha256:'.length)}.`));

  await client.pushImage('a/b', pushed, 'x');
  assert.equal(await head(server, layer.digest), 200);
  assert.deepEqual(await client.blob('a/b', layer.digest), layer.bytes);
  assert.ok((await client.pullAll('a/b', 'x')) > 3_200_000);
  assert.deepEqual(await usage(server), before);

  const metrics = async () => {
    const text = await (await fetch(`${server.debugUrl}/metrics`)).text();
    return [...text.matchAll(/^registry_scrub_.*$/gm)].join('\n');
  };
  await eventually(async () => assert.match(await metrics(), /^registry_scrub_runs_total\{result="success"\} [1-9]/m));
  assert.match(await metrics(), /^registry_scrub_corrupt_total 1$/m);
  assert.match(await metrics(), /^registry_scrub_blobs_total [1-9]/m);
  assert.match(await metrics(), /^registry_scrub_bytes_total [1-9]\d{6}/m);
  assert.match(await metrics(), /^registry_scrub_last_success_timestamp_seconds [1-9]\d{9}/m);
  assert.deepEqual(await readFile(file), layer.bytes);
  assert.equal(await server.kill('SIGTERM'), 0);
});

test('a scrub that takes long holds up neither requests nor the end of the server', async (t) => {
  const extensions = { scrub: { interval: '1h', bytespersecond: 1000 } };
  const server = await startRegistry(t, { config: { extensions } });
  const client = registryClient(server.url);
  const done = join(server.root, '.registry-operator/scrub');
  // Of nothing: once there is something it does not end.
  await eventually(() => access(done));
  await client.pushImage('a/b', pushed, 'x');
  await server.kill('SIGKILL');
  await rm(done);
  await server.start();
  assert.ok((await client.pullAll('a/b', 'x')) > 3_200_000);
  assert.equal(await server.kill('SIGTERM'), 0);
  await assert.rejects(access(done));
});

test('the command beside a server: exit codes, what is wrong in the log, SIGHUP for the figures', async (t) => {
  const server = await startRegistry(t);
  const client = registryClient(server.url);
  await client.pushImage('a/b', pushed, 'x');
  const { blobs } = await usage(server);
  const scrub = async (...flags: string[]): Promise<{ code: number; stdout: string }> => {
    const args = [mainFile, 'registry', 'scrub', ...flags, server.configFile];
    const env = { ...process.env, REGISTRY_EXTENSIONS_SCRUB_BYTESPERSECOND: '0' };
    return run(process.execPath, args, { env }).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: unknown) => error as { code: number; stdout: string },
    );
  };
  assert.deepEqual((await scrub('--quiet')).code, 0);
  await garble(dataFile(server, layer));
  const { code, stdout } = await scrub();
  assert.equal(code, 1);
  assert.match(stdout, /^4 blobs, 32\d{5} bytes$/m);
  assert.match(stdout, /was set aside/);
  assert.match(stdout, /4 blobs \(32\d{5} bytes\) verified: 1 corrupt, 1 set aside, 0 unreadable/);
  assert.equal(await head(server, layer.digest), 404);
  process.kill(server.pid(), 'SIGHUP');
  await eventually(async () => assert.equal((await usage(server)).blobs, blobs - 1));
  await client.pushImage('a/b', pushed, 'x');
  assert.equal((await scrub('-q')).code, 0);
  assert.ok((await client.pullAll('a/b', 'x')) > 3_200_000);
});

test('a manifest that the command sets aside is served from memory, is missing after a restart, and is healed by a push', async (t) => {
  const server = await startRegistry(t);
  const client = registryClient(server.url);
  await client.pushImage('a/b', pushed, 'x');
  assert.ok(await client.manifest('a/b', 'x'));
  await garble(dataFile(server, pushed.manifest), 10);
  const args = [mainFile, 'registry', 'scrub', '--quiet', server.configFile];
  await assert.rejects(run(process.execPath, args), { code: 1 });
  await assert.rejects(access(dataFile(server, pushed.manifest)));
  assert.deepEqual((await client.manifest('a/b', 'x'))?.bytes, pushed.manifest.bytes);

  await server.kill('SIGKILL');
  await server.start();
  assert.equal(await client.manifest('a/b', 'x'), undefined);
  await client.pushImage('a/b', pushed, 'x');
  assert.deepEqual((await client.manifest('a/b', 'x'))?.bytes, pushed.manifest.bytes);
  assert.deepEqual(await readFile(dataFile(server, pushed.manifest)), pushed.manifest.bytes);
});
