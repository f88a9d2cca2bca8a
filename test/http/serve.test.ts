/** The registry as a process: how it starts, what it refuses, how it stops. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { digestOf, image, seededBytes } from '#test/support/content.ts';
import { eventually } from '#test/support/eventually.ts';
import { freePort } from '#test/support/free-port.ts';
import { registryClient } from '#test/support/registry-client.ts';
import { mainFile, startRegistry } from '#test/support/registry.ts';
import { startServerProcess } from '#test/support/server-process.ts';
import { temporaryFolder } from '#test/support/temporary.ts';

const run = promisify(execFile);

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the program to its end. */
async function registry(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(process.execPath, [mainFile, 'registry', ...args], {
      env: { ...process.env, ...env },
      timeout: 60_000,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Ended;
  }
}

test('the words of the command line', async () => {
  assert.match((await registry(['--version'])).stdout, /^registry registry-operator \d+\.\d+\.\d+\n$/);
  assert.match((await registry(['--help'])).stdout, /registry serve \[config\.yml\]/);
  const unknown = await registry(['sevre']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /unknown command "sevre"/);
  const two = await registry(['serve', 'a.yml', 'b.yml']);
  assert.equal(two.code, 1);
  assert.match(two.stderr, /one configuration file is expected/);
});

test('a configuration that can not be used stops the start, with all that is wrong and no stack', async (t) => {
  const file = join(await temporaryFolder(t), 'config.yml');
  await writeFile(file, 'version: 0.1\nstorage: {s3: {bucket: b}}\nhttp: {adr: x}\n');
  const ended = await registry(['serve', file], { REGISTRY_PROXY_REMOTEURL: 'https://registry-1.docker.io' });
  assert.equal(ended.code, 1);
  for (const expected of [file, 'storage.s3:', 'http.adr:', 'proxy:'])
    assert.ok(ended.stderr.includes(expected), expected);
  assert.doesNotMatch(ended.stderr, /\n\s+at /);
  assert.match((await registry(['serve', join(file, 'absent')])).stderr, /the file can't be read/);
});

test('an address that is taken stops the start, and says so', async (t) => {
  const running = await startRegistry(t);
  const ended = await registry(['serve', running.configFile]);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /can't listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
});

test('the environment names the file and overrides it', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'config.yml');
  await writeFile(file, 'version: 0.1\nstorage: filesystem\n');
  const addr = `127.0.0.1:${await freePort()}`;
  const server = await startServerProcess({
    command: process.execPath,
    args: [mainFile, 'serve'],
    env: {
      REGISTRY_CONFIGURATION_PATH: file,
      REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: folder,
      REGISTRY_HTTP_ADDR: addr,
      REGISTRY_SERVICE_HOST: '10.0.0.1',
    },
    ready: async () => void (await fetch(`http://${addr}/v2/`)),
  });
  t.after(async () => void (await server.kill('SIGKILL')));
  // Written before it listens, but what comes by a pipe may be read later than what comes by a socket.
  await eventually(() => assert.match(server.output(), /level=warn msg="ignoring the variable REGISTRY_SERVICE_HOST/));
  assert.equal(await server.kill('SIGTERM'), 0);
});

test('what was pushed is there after a restart, in the lists as well; an upload goes on', async (t) => {
  const server = await startRegistry(t);
  const client = registryClient(server.url);
  await client.pushImage('a/b', image('kept'), 'x');
  const bytes = seededBytes('upload', 100_000);
  const opened = await fetch(`${server.url}/v2/a/blobs/uploads/`, { method: 'POST' });
  const location = opened.headers.get('location') ?? '';
  await fetch(location, { method: 'PATCH', body: bytes.subarray(0, 60_000) as Uint8Array<ArrayBuffer> });
  assert.equal(await server.kill('SIGTERM'), 0);
  await server.start();
  assert.deepEqual(await client.repositories(), ['a/b']);
  assert.deepEqual(await client.tags('a/b'), ['x']);
  assert.ok((await client.pullAll('a/b', 'x')) > 1000);
  const status = await fetch(location);
  assert.equal(status.headers.get('range'), '0-59999');
  await fetch(location, { method: 'PATCH', body: bytes.subarray(60_000) as Uint8Array<ArrayBuffer> });
  const put = await fetch(`${location}?digest=${digestOf(bytes)}`, { method: 'PUT' });
  assert.equal(put.status, 201);
});

test('SIGHUP: what another process changed on the volume is found, and what changed is logged', async (t) => {
  const server = await startRegistry(t, { config: { log: { level: 'info', formatter: 'json' } } });
  const client = registryClient(server.url);
  await client.pushImage('goes', image('goes'), 'x');
  const other = await startRegistry(t, { root: server.root });
  await registryClient(other.url).pushImage('comes', image('comes', { layers: [1000, 2000] }), 'y');
  await rm(join(server.root, 'docker/registry/v2/repositories/goes'), { recursive: true });
  assert.deepEqual(await client.repositories(), ['goes']);
  process.kill(server.pid(), 'SIGHUP');
  const line = await eventually(() => {
    const found = server.output().match(/^.*the volume has been read again.*$/m);
    assert.ok(found);
    return JSON.parse(found[0]) as Record<string, unknown>;
  });
  assert.deepEqual([line['repositories'], line['tags'], line['manifests'], line['blobs']], [0, 0, 0, 4]);
  assert.deepEqual(await client.repositories(), ['comes']);
  const usage = async (url: string) => (await fetch(`${url}/debug/usage`)).json();
  const { blobs, bytes } = (await usage(server.debugUrl)) as Record<string, number>;
  process.kill(other.pid(), 'SIGHUP');
  await eventually(async () => {
    const theirs = (await usage(other.debugUrl)) as Record<string, number>;
    assert.deepEqual([theirs['blobs'], theirs['bytes'], theirs['repositories']], [blobs, bytes, 1]);
  });
  assert.equal(await server.kill('SIGTERM'), 0);
});

test('SIGTERM: not ready any more, what runs is finished, then the end', async (t) => {
  const server = await startRegistry(t, { config: { log: { level: 'info' } } });
  const bytes = seededBytes('drain', 1000);
  const opened = await fetch(`${server.url}/v2/a/blobs/uploads/`, { method: 'POST' });
  const { pathname, port } = new URL(opened.headers.get('location') ?? '');
  const socket = connect(Number(port), '127.0.0.1').setEncoding('latin1');
  let received = '';
  socket.on('data', (chunk: string) => (received += chunk));
  const head = `PUT ${pathname}?digest=${digestOf(bytes)} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n`;
  socket.write(head);
  await eventually(() => assert.match(received, /100 Continue/));
  assert.equal((await fetch(`${server.debugUrl}/readyz`)).status, 200);
  const ended = server.kill('SIGTERM');
  const notReady = await eventually(async () => {
    const response = await fetch(`${server.debugUrl}/readyz`);
    assert.equal(response.status, 503);
    return response.json();
  });
  assert.deepEqual(notReady, { lifecycle: 'stopping' });
  await assert.rejects(fetch(`${server.url}/v2/`));
  socket.write(bytes);
  await eventually(() => assert.match(received, /HTTP\/1\.1 201 [^]*Connection: close/));
  assert.equal(await ended, 0);
});

test('a request that does not end is cut off when the time to drain is over', async (t) => {
  const server = await startRegistry(t, { env: { REGISTRY_HTTP_DRAINTIMEOUT: '100ms' } });
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('latin1');
  socket.on('error', () => undefined);
  socket.write('PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n');
  await new Promise((resolve) => socket.once('data', resolve));
  assert.equal(await server.kill('SIGTERM'), 0);
});

test('a Unix socket, also where a killed registry has left one', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'registry.sock');
  const file = join(folder, 'config.yml');
  const config = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: folder } },
    http: { net: 'unix', addr: path },
  };
  await writeFile(file, JSON.stringify(config));
  const base = () => send({ socketPath: path, path: '/v2/' });
  const server = await startServerProcess({
    command: process.execPath,
    args: [mainFile, 'registry', 'serve', file],
    ready: async () => void (await base()),
  });
  t.after(async () => void (await server.kill('SIGKILL')));
  await server.kill('SIGKILL');
  await server.start();
  assert.equal((await base()).statusCode, 200);
  assert.match((await registry(['serve', file])).stderr, /can't listen on .*registry\.sock: .*EADDRINUSE/);

  const other = join(folder, 'other.yml');
  await writeFile(other, JSON.stringify({ ...config, http: { net: 'unix', addr: file } }));
  assert.match((await registry(['serve', other])).stderr, /can't listen on .*config\.yml: .*EADDRINUSE/);
  assert.equal(await readFile(file, 'utf8'), JSON.stringify(config), 'a file that is no socket stays');
});

function send(options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ ...options, agent: false }, (response) => {
      response
        .resume()
        .once('end', () => resolve(response))
        .once('error', reject);
    });
    sent.once('error', reject).end();
  });
}
