/** Conditional requests. Source: RFC 9110 section 13. The entity tag of content is its digest in quotes. */
import type { IncomingHttpHeaders } from 'node:http';
import { RegistryError } from '#registry/oci/errors.ts';
import type { Answer } from './exchange.ts';

/**
 * The answer to a read of content that is there, when it is not the content: 304 with the headers that describe it. Throws
 * DENIED (412) when the client wants nothing but what it knows, and that has changed.
 */
export function conditionalAnswer(
  { 'if-match': match, 'if-none-match': noneMatch }: IncomingHttpHeaders,
  digest: string,
  headers: Answer['headers'],
): Answer | undefined {
  if (match !== undefined && !matches(match, digest)) {
    const message = 'the content is not what the condition of the request names';
    throw new RegistryError('DENIED', { status: 412, message, detail: { current: digest } });
  }
  return hasEntityTag(noneMatch, digest) ? { status: 304, headers } : undefined;
}

/** Whether an If-None-Match names the digest: `*`, or a list of entity tags, which old clients send without quotes. */
function hasEntityTag(header: string | undefined, digest: string): boolean {
  if (header === undefined) return false;
  return entityTags(header).some((tag) => names(tag.replace(/^W\//, ''), digest));
}

/** Whether what is there now, `undefined` for nothing, is what the client wants to replace. */
export type Precondition = (current: string | undefined) => boolean;

/** `undefined` when the request has none: then whatever is there is replaced. */
export function precondition(headers: IncomingHttpHeaders): Precondition | undefined {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers;
  if (match === undefined && noneMatch === undefined) return undefined;
  return (current) => {
    if (match !== undefined && (current === undefined || !matches(match, current))) return false;
    return current === undefined || !hasEntityTag(noneMatch, current);
  };
}

/** Whether an If-Match names the digest. Unlike If-None-Match it compares strongly, so that weak tags name nothing (RFC 9110 13.1.1). */
function matches(header: string, digest: string): boolean {
  return entityTags(header).some((tag) => names(tag, digest));
}

function entityTags(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}

function names(tag: string, digest: string): boolean {
  return tag === '*' || tag === digest || tag === `"${digest}"`;
}
