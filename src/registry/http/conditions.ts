/** Whether an If-None-Match names the digest: `*`, or a list of entity tags, which old clients send without quotes. */
export function hasEntityTag(header: string | undefined, digest: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((part) => {
    const tag = part.trim().replace(/^W\//, '');
    return tag === '*' || tag === digest || tag === `"${digest}"`;
  });
}
