/**
 * Where clients reach this registry, for Location: `http.host` when configured, else what the proxies in front say, else
 * what the client itself called. Source: distribution, registry/api/v2/urls.go; RFC 7239 for Forwarded.
 */
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

export interface UrlOptions {
  /** `http.host`: origin and path in front of `/v2/`. */
  host?: string;
  /** `http.relativeurls`, where there is no `http.host`. */
  relative: boolean;
}

/** What goes before `/v2/...`: an origin with the path prefix of the request, or that prefix alone for relative URLs. */
export type BaseUrl = (request: IncomingMessage) => string;

export function createBaseUrl(options: UrlOptions): BaseUrl {
  const fixed = options.host?.replace(/\/+$/, '');
  if (fixed !== undefined && fixed !== '') return () => fixed;
  if (options.relative) return (request) => prefixOf(request);
  return (request) => originOf(request) + prefixOf(request);
}

function prefixOf(request: IncomingMessage): string {
  const url = request.url ?? '';
  const start = url.indexOf('/v2/');
  return start > 0 ? url.slice(0, start) : '';
}

function originOf({ headers, socket }: IncomingMessage): string {
  const forwarded = forwardedOrigin(headers);
  const scheme = forwarded.scheme ?? ((socket as TLSSocket).encrypted ? 'https' : 'http');
  return `${scheme}://${forwarded.host ?? validHost(headers.host) ?? 'localhost'}`;
}

interface Origin {
  scheme?: string | undefined;
  host?: string | undefined;
}

function forwardedOrigin(headers: IncomingMessage['headers']): Origin {
  const forwarded = headers['forwarded'];
  if (forwarded !== undefined) return parseForwarded(forwarded);
  return {
    scheme: validScheme(first(headers['x-forwarded-proto'])),
    host: validHost(first(headers['x-forwarded-host'])),
  };
}

/** The first element, which the proxy nearest to the client added. Malformed parts are ignored. */
export function parseForwarded(header: string): Origin {
  const [element = ''] = header.split(',', 1);
  const pairs = new Map<string, string>();
  for (const pair of element.split(';')) {
    const match = /^\s*([A-Za-z]+)=(?:"([^"]*)"|([^"\s]+))\s*$/.exec(pair);
    if (match) pairs.set(String(match[1]).toLowerCase(), match[2] ?? match[3] ?? '');
  }
  return { scheme: validScheme(pairs.get('proto')), host: validHost(pairs.get('host')) };
}

function first(value: string | string[] | undefined): string | undefined {
  return (Array.isArray(value) ? value[0] : value)?.split(',', 1)[0]?.trim();
}

function validScheme(text: string | undefined): string | undefined {
  const scheme = text?.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

/** A name, an IPv4 address or an IPv6 one in brackets, with or without a port. */
function validHost(text: string | undefined): string | undefined {
  return text !== undefined && /^(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/.test(text)
    ? text
    : undefined;
}
