import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serveHealth } from './health.ts';

test('health is 200, or 503 with the reason; anything else is not there', async (t) => {
  let problem: string | undefined;
  const address = { host: '127.0.0.1', port: 0 };
  const server = await serveHealth(address, { live: () => undefined, ready: () => problem });
  t.after(() => server.close());
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return [response.status, await response.text()];
  };
  assert.deepEqual(await get('/livez'), [200, 'ok\n']);
  assert.deepEqual(await get('/readyz'), [200, 'ok\n']);
  problem = 'not yet';
  assert.deepEqual(await get('/readyz'), [503, 'not yet\n']);
  assert.equal((await get('/metrics'))[0], 404);
  await assert.rejects(
    serveHealth({ ...address, port: server.port }, { live: () => undefined, ready: () => undefined }),
    { code: 'EADDRINUSE' },
  );
});
