import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveEndpoints } from './endpoints.ts';

const address = { host: '127.0.0.1', port: 0 };

test('paths, methods and failures', async (t) => {
  const server = await serveEndpoints(address, {
    '/livez': () => ({ status: 200, body: 'ok\n' }),
    '/broken': () => Promise.reject(new Error('out of order')),
  });
  t.after(() => server.close());
  const ask = async (path: string, method = 'GET'): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return [response.status, await response.text()];
  };
  assert.deepEqual(await ask('/livez?verbose'), [200, 'ok\n']);
  assert.deepEqual(await ask('/livez', 'HEAD'), [200, '']);
  assert.deepEqual(await ask('/livez', 'POST'), [405, 'GET it\n']);
  assert.deepEqual(await ask('/'), [404, 'there are /livez, /broken\n']);
  assert.deepEqual(await ask('/broken'), [500, 'Error: out of order\n']);
});

test('an address that is taken is an error', async (t) => {
  const server = await serveEndpoints(address, {});
  t.after(() => server.close());
  await assert.rejects(serveEndpoints({ ...address, port: server.port }, {}), { code: 'EADDRINUSE' });
});
