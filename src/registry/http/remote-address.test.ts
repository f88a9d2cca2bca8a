import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { peerOf, remoteAddress } from './remote-address.ts';

test('the other end of a connection, with its port', () => {
  const peer = (address?: string) =>
    peerOf({ remoteAddress: address, remotePort: address && 4711 } as unknown as Socket);
  assert.equal(peer('192.0.2.1'), '192.0.2.1:4711');
  assert.equal(peer('::ffff:192.0.2.1'), '192.0.2.1:4711');
  assert.equal(peer('2001:db8::1'), '[2001:db8::1]:4711');
  assert.equal(peer(), '');
});

test('the client that the first proxy names', () => {
  const peer = '192.0.2.1:4711';
  assert.equal(remoteAddress({}, peer), peer);
  assert.equal(remoteAddress({ 'x-forwarded-for': '198.51.100.7, 192.0.2.9' }, peer), '198.51.100.7');
  assert.equal(remoteAddress({ 'x-real-ip': '198.51.100.8' }, peer), '198.51.100.8');
  assert.equal(remoteAddress({ 'x-forwarded-for': '' }, peer), peer);
});
