/** Conditional requests. Source: RFC 9110 section 13. The entity tag of content is its digest in quotes. */
import type { IncomingHttpHeaders } from 'node:http';

/** Whether an If-None-Match names the digest: `*`, or a list of entity tags, which old clients send without quotes. */
export function hasEntityTag(header: string | undefined, digest: string): boolean {
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
    // Unlike If-None-Match it compares strongly, so that weak tags name nothing (RFC 9110 13.1.1).
    const matches = current !== undefined && entityTags(match ?? '*').some((tag) => names(tag, current));
    if (match !== undefined && !matches) return false;
    return current === undefined || !hasEntityTag(noneMatch, current);
  };
}

function entityTags(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}

function names(tag: string, digest: string): boolean {
  return tag === '*' || tag === digest || tag === `"${digest}"`;
}
