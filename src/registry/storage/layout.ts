/**
 * The tree on disk, drawn once. It is distribution's, to the letter, so that a volume of registry 2 or 3 opens in place
 * and can be handed back.
 *
 *   /docker/registry/v2
 *     blobs/<alg>/<first two hex>/<hex>/data              content: layers, configs and manifests alike
 *     repositories/<name>
 *       _layers/<alg>/<hex>/link                          this repository has the blob
 *       _manifests/revisions/<alg>/<hex>/link             this repository has the manifest
 *       _manifests/tags/<tag>/current/link                what the tag points to
 *       _manifests/tags/<tag>/index/<alg>/<hex>/link      what it has ever pointed to
 *       _uploads/<uuid>/data                              what has arrived so far
 *       _uploads/<uuid>/startedat                         2026-01-02T03:04:05Z
 *       _uploads/<uuid>/elsewhere                         empty: another process writes to it, too
 *
 * A link holds a digest and nothing else, no newline: distribution parses the whole file. A component of a name never
 * starts with `_`, so whatever does is internal; a directory with `_manifests` is a repository. Small files are written
 * as `<final>.<uuid>.tmp` beside their place; other names than `link` and `data` are ignored by every reader. Own files
 * go outside of this tree: a stray `data` below blobs stops distribution's garbage collection.
 *
 *
 *   /.registry-operator
 *     quarantine/<alg>/<hex>.<time>                       blobs that were not what their digest says
 *     trash/                                              what a collection is removing
 *     notifications/                                      events that wait for their endpoint
 *     scrub                                               when all blobs were last verified, and how far the next time is
 *
 * Source: distribution registry/storage/paths.go, catalog.go, driver/filesystem/driver.go.
 */
import { digestAlgorithm, digestEncoded, parseDigest, type Digest } from '#registry/oci/digest.ts';
import type { Placement } from './driver.ts';

export const treeRoot = '/docker/registry/v2';

export const blobsRoot = `${treeRoot}/blobs`;
export const repositoriesRoot = `${treeRoot}/repositories`;

export const internalNames = { layers: '_layers', manifests: '_manifests', uploads: '_uploads' } as const;

export function blobData(digest: Digest): string {
  const hex = digestEncoded(digest);
  return `${blobsRoot}/${digestAlgorithm(digest)}/${hex.slice(0, 2)}/${hex}/data`;
}

/** Where a corrupt blob is put, by the time (milliseconds since 1970) at which it was found. */
export function quarantinedBlob(digest: Digest, foundMs: number): string {
  const time = new Date(foundMs).toISOString().replaceAll(':', '-');
  return `${quarantineRoot}/${algorithmAndHex(digest)}.${time}`;
}

/** Where corrupt blobs are put, by algorithm. */
export const quarantineRoot = '/.registry-operator/quarantine';

/** When a blob was put there, in milliseconds since 1970; `undefined` for a name that is not ours. */
export function quarantinedAt(name: string): number | undefined {
  const [, date, hours, minutes, seconds] =
    /^[0-9a-f]+\.(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3}Z)$/.exec(name) ?? [];
  const time = Date.parse(`${date}T${hours}:${minutes}:${seconds}`);
  return Number.isNaN(time) ? undefined : time;
}

/** The time of the last scrub that reached its end, and how far one has come that did not: JSON. */
export const lastScrub = '/.registry-operator/scrub';

export function repositoryDirectory(repository: string): string {
  return `${repositoriesRoot}/${repository}`;
}

export function layerLink(repository: string, digest: Digest): string {
  return `${repositoriesRoot}/${repository}/_layers/${algorithmAndHex(digest)}/link`;
}

export function manifestsDirectory(repository: string): string {
  return `${repositoriesRoot}/${repository}/_manifests`;
}

export function revisionsDirectory(repository: string): string {
  return `${repositoriesRoot}/${repository}/_manifests/revisions`;
}

export function revisionLink(repository: string, digest: Digest): string {
  return `${repositoriesRoot}/${repository}/_manifests/revisions/${algorithmAndHex(digest)}/link`;
}

export function tagsDirectory(repository: string): string {
  return `${repositoriesRoot}/${repository}/_manifests/tags`;
}

export function tagDirectory(repository: string, tag: string): string {
  return `${repositoriesRoot}/${repository}/_manifests/tags/${tag}`;
}

export function tagLink(repository: string, tag: string): string {
  return `${repositoriesRoot}/${repository}/_manifests/tags/${tag}/current/link`;
}

/** A link file holds the digest and nothing else. */
export function link(path: string, digest: Digest): Placement {
  return { path, content: Buffer.from(digest, 'latin1') };
}

/** What a tag has ever pointed to; each registry writes it before the tag itself. */
export function tagHistory(repository: string, tag: string): string {
  return `${repositoriesRoot}/${repository}/_manifests/tags/${tag}/index`;
}

export function tagIndexLink(repository: string, tag: string, digest: Digest): string {
  return `${repositoriesRoot}/${repository}/_manifests/tags/${tag}/index/${algorithmAndHex(digest)}/link`;
}

export function uploadsDirectory(repository: string): string {
  return `${repositoriesRoot}/${repository}/_uploads`;
}

export function uploadDirectory(repository: string, id: string): string {
  return `${repositoriesRoot}/${repository}/_uploads/${id}`;
}

export function uploadData(repository: string, id: string): string {
  return `${repositoriesRoot}/${repository}/_uploads/${id}/data`;
}

/** There when another process than the one that began the upload has written to it. */
export function uploadElsewhere(repository: string, id: string): string {
  return `${repositoriesRoot}/${repository}/_uploads/${id}/elsewhere`;
}

export function uploadStartedAt(repository: string, id: string): string {
  return `${repositoriesRoot}/${repository}/_uploads/${id}/startedat`;
}

/** RFC 3339 in UTC with whole seconds, as Go's time.RFC3339 prints it. */
export function formatStartedAt(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** Any RFC 3339 time; `undefined` for anything else, such as the empty file of a crash. */
export function parseStartedAt(text: string): Date | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** The digest that the directory names of a link or of blob data spell; `undefined` when they spell none. */
export function digestOfDirectory(algorithm: string, hex: string): Digest | undefined {
  return parseDigest(`${algorithm}:${hex}`);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The form of an upload's name, which also makes it safe in a path. */
export function isUploadId(text: string): boolean {
  return uuid.test(text);
}

/** Small files are written as `<final>.<uuid>.tmp` first. */
export function temporaryName(final: string, id: string): string {
  return `${final}.${id}.tmp`;
}

export function isTemporaryName(name: string): boolean {
  return name.endsWith('.tmp') && isUploadId(name.slice(-40, -4)) && name.at(-41) === '.';
}

function algorithmAndHex(digest: Digest): string {
  return `${digestAlgorithm(digest)}/${digestEncoded(digest)}`;
}
