import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { challenge, parseBasic, parseBearer } from './header.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

test('credentials come back as they were sent, whatever is in the password', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, password) => {
      const user = name.replaceAll(':', '');
      assert.deepEqual(parseBasic(basic(`${user}:${password}`)), { user, password });
    }),
  );
});

test('any header is credentials, or none: never an error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((rest) => `Basic ${rest}`),
      ),
      (header) => {
        const credentials = parseBasic(header);
        if (credentials)
          assert.equal(parseBasic(basic(`${credentials.user}:${credentials.password}`))?.user, credentials.user);
      },
    ),
  );
});

test('other schemes, no colon and no base64 are no credentials', () => {
  for (const header of [
    undefined,
    '',
    'Basic',
    'Basic ',
    'Basic !',
    'Bearer eDp5',
    basic('u'),
    'Basic dTpw dTpw',
    'Basic dTp',
  ]) {
    assert.equal(parseBasic(header), undefined, header);
  }
  assert.deepEqual(parseBasic(basic('u:p').replace('Basic', 'bAsIc')), { user: 'u', password: 'p' });
});

test('a bearer token is what follows the scheme', () => {
  assert.equal(parseBearer('Bearer a.b.c'), 'a.b.c');
  assert.equal(parseBearer('bearer a'), 'a');
  for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic a']) assert.equal(parseBearer(header), undefined);
});

test('a challenge leaves empty parameters out and can not be broken out of', () => {
  assert.equal(
    challenge('Bearer', { realm: 'https://a/token', service: 'S', scope: '', error: undefined }),
    'Bearer realm="https://a/token",service="S"',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (realm) => {
      assert.match(challenge('Basic', { realm: `r${realm}` }), /^Basic realm="(?:[^"\\\r\n]|\\["\\])*"$/);
    }),
  );
});
