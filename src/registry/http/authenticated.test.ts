import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Access, Actor, Authenticator } from '#registry/auth/authenticator.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { digestOf } from '#test/support/content.ts';
import { errorCodes, expect, registryApp } from '#test/support/registry-app.ts';
import type { ExchangeRecord } from './exchange.ts';

/** Admits those who say "yes", and remembers what was asked. */
function authenticatorOf(actor: Actor): Authenticator & { asked: Access[][] } {
  const asked: Access[][] = [];
  return {
    asked,
    async authenticate({ authorization }, access) {
      asked.push(access);
      if (authorization === 'yes') return actor;
      throw new RegistryError('UNAUTHORIZED', { headers: { 'WWW-Authenticate': 'Basic realm="r"' }, detail: access });
    },
  };
}

const yes = { authorization: 'yes' };

test('the access log gets the name of who asked, when it is known', async (t) => {
  const users: (string | undefined)[] = [];
  const observers = [{ finished: ({ user }: ExchangeRecord) => void users.push(user) }];
  const { send } = await registryApp(t, {
    authenticator: authenticatorOf({ name: 'u', unrestricted: true }),
    observers,
  });
  expect(await send('GET', 'a/manifests/x', { headers: yes }), 404);
  expect(await send('GET', 'a/manifests/x'), 401);
  assert.deepEqual(users, ['u', undefined]);
});

test('every request is asked about, with what it wants to do', async (t) => {
  const authenticator = authenticatorOf({ name: 'u', unrestricted: true });
  const { send } = await registryApp(t, { authenticator });
  const repository = (...actions: Access['Action'][]) =>
    actions.map((Action) => ({ Type: 'repository', Class: '', Name: 'a/b', Action }));
  const fromC = { Type: 'repository', Class: '', Name: 'c', Action: 'pull' };
  const cases: [method: string, path: string, access: unknown[]][] = [
    ['GET', '/v2/', []],
    ['GET', '_catalog', [{ Type: 'registry', Class: '', Name: 'catalog', Action: '*' }]],
    ['HEAD', 'a/b/manifests/x', repository('pull')],
    ['GET', 'a/b/tags/list', repository('pull')],
    ['POST', 'a/b/blobs/uploads/', repository('pull', 'push')],
    ['POST', 'a/b/blobs/uploads/?mount=x&from=c', [...repository('pull', 'push'), fromC]],
    ['PUT', 'a/b/manifests/x', repository('pull', 'push')],
    ['DELETE', 'a/b/manifests/x', repository('delete')],
  ];
  for (const [method, path, access] of cases) {
    const refused = expect(await send(method, path), 401);
    assert.equal(refused.headers['www-authenticate'], 'Basic realm="r"');
    if (method !== 'HEAD') assert.deepEqual(errorCodes(refused), ['UNAUTHORIZED']);
    assert.deepEqual(authenticator.asked.at(-1), access);
    assert.notEqual((await send(method, path, { headers: yes })).statusCode, 401);
  }
});

for (const unrestricted of [true, false]) {
  test(`a client that may ${unrestricted ? '' : 'not '}do everything mounts without saying from where`, async (t) => {
    const authenticator = authenticatorOf({ name: 'u', unrestricted });
    const { send } = await registryApp(t, { authenticator });
    const bytes = Buffer.from('blob');
    const headers = { ...yes, 'content-type': 'application/octet-stream' };
    const digest = digestOf(bytes);
    expect(await send('POST', `a/blobs/uploads/?digest=${digest}`, { payload: bytes, headers }), 201);
    expect(await send('POST', `b/blobs/uploads/?mount=${digest}`, { headers }), unrestricted ? 201 : 202);
    expect(await send('POST', `b/blobs/uploads/?mount=${digest}&from=a`, { headers }), 201);
  });
}
