/** Where a request comes from, as the log and the notifications of distribution say it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';

/** `127.0.0.1:4711` or `[::1]:4711`; an IPv4 address also where the socket takes both families. Empty once it is closed. */
export function peerOf({ remoteAddress, remotePort }: Socket): string {
  if (remoteAddress === undefined) return '';
  const address = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice('::ffff:'.length) : remoteAddress;
  return address.includes(':') ? `[${address}]:${remotePort}` : `${address}:${remotePort}`;
}

/** The client that proxies name, else the other end of the connection. */
export function remoteAddress(headers: IncomingHttpHeaders, peer: string): string {
  const forwarded = String(headers['x-forwarded-for'] ?? headers['x-real-ip'] ?? '');
  return forwarded.split(',', 1)[0]?.trim() || peer;
}
