import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createProbe } from './probe.ts';

/** As long as a busy machine may need for an answer, or for its word that there is none. */
const probe = createProbe({ timeoutMs: 30_000 });
const impatientProbe = createProbe({ timeoutMs: 250 });

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createHttpServer(listener);
  t.after(() => server.closeAllConnections());
  return listen(t, server);
}

test('200 and 401 at /v2/ are a registry', async (t) => {
  const paths: (string | undefined)[] = [];
  for (const status of [200, 401]) {
    const url = await serve(t, (request, response) => {
      paths.push(request.url);
      response.writeHead(status).end('{}');
    });
    assert.equal(await probe(url), undefined);
  }
  assert.deepEqual(paths, ['/v2/', '/v2/']);
});

test('any other answer is none, and is told', async (t) => {
  const url = await serve(t, (_request, response) => response.writeHead(503).end());
  assert.equal(await probe(url), 'answered 503 to GET /v2/');
});

test('no connection, no answer and no HTTP are told with their cause', async (t) => {
  const closed = createHttpServer();
  const gone = await listen(t, closed);
  await new Promise((resolve) => closed.close(resolve));
  assert.equal(await probe(gone), 'connection refused');

  const silent = await listen(
    t,
    createTcpServer().on('connection', (socket) => t.after(() => socket.destroy())),
  );
  assert.equal(await impatientProbe(silent), 'no answer within 250 ms');

  const rude = await listen(
    t,
    createTcpServer((socket) => socket.end('SSH-2.0\r\n')),
  );
  assert.match((await probe(rude)) ?? '', /HTTP|Parse/i);

  assert.equal(await probe('http://nowhere.invalid'), 'no such host');
  assert.match((await probe('nonsense')) ?? '', /URL/i);
});

test('a body without an end does not hold it up', async (t) => {
  const url = await serve(t, (_request, response) => void response.writeHead(200).write('x'));
  assert.equal(await probe(url), undefined);
});
