/**
 * Directories of the tree by digests of any algorithm. layout.ts has the paths that the registry writes; a collection also
 * meets what other registries wrote there.
 */
import { repositoryDirectory } from '#registry/storage/layout.ts';

export function layerDirectory(repository: string, digest: string): string {
  return `${repositoryDirectory(repository)}/_layers/${asPath(digest)}`;
}

export function revisionDirectory(repository: string, digest: string): string {
  return `${repositoryDirectory(repository)}/_manifests/revisions/${asPath(digest)}`;
}

export function tagHistoryDirectory(repository: string, tag: string, digest: string): string {
  return `${repositoryDirectory(repository)}/_manifests/tags/${tag}/index/${asPath(digest)}`;
}

function asPath(digest: string): string {
  return digest.replace(':', '/');
}
