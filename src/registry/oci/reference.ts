import { parseDigest, type Digest } from './digest.ts';

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tag = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/** The longest repository name: distribution's limit, which its storage layout depends on. */
export const maxNameLength = 255;

/** The grammar of distribution-spec "Pulling manifests", component by component so that it stays linear. */
export function isRepositoryName(name: string): boolean {
  return name.length <= maxNameLength && name.split('/').every((part) => component.test(part));
}

export function isTag(text: string): boolean {
  return tag.test(text);
}

export type Reference = { kind: 'tag'; tag: string } | { kind: 'digest'; digest: Digest };

/** What stands behind `/manifests/`; `undefined` when it is neither a tag nor a digest. */
export function parseReference(text: string): Reference | undefined {
  if (isTag(text)) return { kind: 'tag', tag: text };
  const digest = parseDigest(text);
  return digest && { kind: 'digest', digest };
}
