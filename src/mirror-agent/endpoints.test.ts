import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstAnswering, nodeEndpoints, probeOnce } from './endpoints.ts';

const mirror = {
  host: 'a:1',
  registry: { namespace: 'n', name: 'r', uid: 'u' },
  endpoints: ['http://10.96.0.7:5000', 'http://{nodeIP}:30500'],
};

test("{nodeIP} is this node's address, in brackets if it is IPv6", () => {
  assert.deepEqual(nodeEndpoints(mirror, '172.18.0.2'), ['http://10.96.0.7:5000', 'http://172.18.0.2:30500']);
  assert.equal(nodeEndpoints(mirror, 'fd00::2')[1], 'http://[fd00::2]:30500');
});

test('the first that answers wins; when none does, each cause is told', async () => {
  const only = (answering: string) => async (endpoint: string) => (endpoint === answering ? undefined : 'silent');
  assert.equal((await firstAnswering(['x', 'y'], only('x'))).endpoint, 'x');
  assert.equal((await firstAnswering(['x', 'y'], only('y'))).endpoint, 'y');
  assert.deepEqual(await firstAnswering(['x', 'y'], only('')), {
    endpoint: undefined,
    causes: ['x: silent', 'y: silent'],
  });
});

test('an address that several hosts share is asked once', async () => {
  let asked = 0;
  const probe = probeOnce(async () => {
    asked++;
    return undefined;
  });
  await Promise.all([probe('x'), probe('x'), probe('y')]);
  assert.equal(asked, 2);
});
