import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSilly } from './silly.ts';

test('any Authorization header lets in, none is challenged with a scope for each action', async () => {
  const { authenticate } = createSilly({ realm: 'r', service: 's' });
  const access = (['pull', 'push'] as const).map((Action) => ({
    Type: 'repository' as const,
    Class: '',
    Name: 'a',
    Action,
  }));
  assert.equal((await authenticate({ authorization: 'seriously, anything' }, access)).name, 'silly');
  await assert.rejects(authenticate({}, access), {
    headers: { 'WWW-Authenticate': 'Bearer realm="r",service="s",scope="repository:a:pull repository:a:push"' },
  });
  await assert.rejects(authenticate({ authorization: '' }, []), {
    headers: { 'WWW-Authenticate': 'Bearer realm="r",service="s"' },
  });
});
