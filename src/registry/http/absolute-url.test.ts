import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createBaseUrl, parseForwarded, type UrlOptions } from './absolute-url.ts';

interface Case {
  headers?: Record<string, string>;
  url?: string;
  options?: Partial<UrlOptions>;
  encrypted?: boolean;
  expected: string;
}

function baseUrl({ headers = {}, url = '/v2/', options = {}, encrypted = false }: Omit<Case, 'expected'>): string {
  const request = { headers: { host: 'registry:5000', ...headers }, url, socket: { encrypted } };
  return createBaseUrl({ relative: false, ...options })(request as unknown as IncomingMessage);
}

const cases: Record<string, Case> = {
  'what the client called': { expected: 'http://registry:5000' },
  'over TLS': { encrypted: true, expected: 'https://registry:5000' },
  'the path in front': { url: '/registry/v2/a/blobs/uploads/', expected: 'http://registry:5000/registry' },
  'a later v2 is no prefix': { url: '/v2/a/v2/manifests/x', expected: 'http://registry:5000' },
  'X-Forwarded': {
    headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'first.example, second.example' },
    expected: 'https://first.example',
  },
  'X-Forwarded-Proto of several proxies': {
    headers: { 'x-forwarded-proto': 'https,http' },
    expected: 'https://registry:5000',
  },
  'Forwarded before X-Forwarded': {
    headers: {
      forwarded: 'for=192.0.2.1; proto=HTTPS; host="a.example:8443", for=10.0.0.1;host=b.example',
      'x-forwarded-host': 'c.example',
    },
    expected: 'https://a.example:8443',
  },
  'Forwarded without a host': { headers: { forwarded: 'proto=https' }, expected: 'https://registry:5000' },
  'a Host that can be none': { headers: { host: 'a b/c' }, expected: 'http://localhost' },
  IPv6: { headers: { forwarded: 'host="[2001:db8::1]:5000"' }, expected: 'http://[2001:db8::1]:5000' },
  'nonsense is ignored': {
    headers: { 'x-forwarded-proto': 'javascript', 'x-forwarded-host': 'a/b?c@d' },
    expected: 'http://registry:5000',
  },
  'a configured host': {
    options: { host: 'https://pub.example/reg/' },
    headers: { 'x-forwarded-host': 'other' },
    expected: 'https://pub.example/reg',
  },
  'a configured host before relative URLs': {
    options: { host: 'https://pub.example', relative: true },
    expected: 'https://pub.example',
  },
  'relative URLs': { options: { relative: true }, url: '/registry/v2/', expected: '/registry' },
};

for (const [name, { expected, ...given }] of Object.entries(cases)) {
  test(name, () => assert.equal(baseUrl(given), expected));
}

test('whatever the header says, the result is an origin', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^(proto|host|for)=[a-z:/"@.\][]*(;host=.*)?$/));
  fc.assert(
    fc.property(text, (header) => {
      const { scheme, host } = parseForwarded(header);
      assert.equal(new URL(`${scheme ?? 'http'}://${host ?? 'h'}`).pathname, '/');
    }),
  );
});
