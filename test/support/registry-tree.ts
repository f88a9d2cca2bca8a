/**
 * Writes distribution's tree by hand, so that tests of what reads it do not depend on what writes it.
 * The drawing is in src/registry/storage/layout.ts.
 */
import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface DescriptorLike {
  mediaType?: string;
  digest: string;
  size: number;
}

export interface ImageLike {
  config?: DescriptorLike;
  layers?: DescriptorLike[];
  manifests?: DescriptorLike[];
  subject?: DescriptorLike;
  annotations?: Record<string, string>;
}

export interface RegistryTree {
  readonly root: string;
  /** Data below `blobs/`, not linked anywhere. */
  blob(content: string | Buffer, algorithm?: 'sha256' | 'sha512'): DescriptorLike;
  layerLink(repository: string, digest: string, target?: string): void;
  /** Data and revision link. */
  manifest(repository: string, manifest: ImageLike): DescriptorLike;
  tag(repository: string, tag: string, digest: string): void;
  /** Removes the revision link alone, as distribution's DELETE does. */
  deleteRevision(repository: string, digest: string): void;
  write(path: string, content: string | Buffer): void;
  path(path: string): string;
  /** Makes every file `milliseconds` older than now. */
  age(milliseconds: number): void;
  /** Paths of all files below docker/registry/v2, sorted. */
  files(): string[];
  blobPath(digest: string): string;
}

export function registryTree(root: string): RegistryTree {
  const base = join(root, 'docker/registry/v2');
  const path = (relative: string) => join(base, relative);
  const write = (relative: string, content: string | Buffer): void => {
    mkdirSync(dirname(path(relative)), { recursive: true });
    writeFileSync(path(relative), content);
  };
  const blobPath = (digest: string): string => {
    const [algorithm, hex = ''] = digest.split(':');
    return `blobs/${algorithm}/${hex.slice(0, 2)}/${hex}/data`;
  };
  const blob: RegistryTree['blob'] = (content, algorithm = 'sha256') => {
    const bytes = Buffer.from(content);
    const digest = `${algorithm}:${hash(algorithm, bytes, 'hex')}`;
    write(blobPath(digest), bytes);
    return { mediaType: 'application/octet-stream', digest, size: bytes.length };
  };
  const files = (): string[] =>
    readdirSync(base, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(base.length + 1))
      .toSorted();
  return {
    root,
    blob,
    write,
    path,
    files,
    blobPath,
    layerLink: (repository, digest, target = digest) =>
      write(`repositories/${repository}/_layers/${digest.replace(':', '/')}/link`, target),
    manifest(repository, manifest) {
      const kind = manifest.manifests ? 'index' : 'manifest';
      const mediaType = `application/vnd.oci.image.${kind}.v1+json`;
      const descriptor = blob(JSON.stringify({ schemaVersion: 2, mediaType, ...manifest }));
      write(
        `repositories/${repository}/_manifests/revisions/${descriptor.digest.replace(':', '/')}/link`,
        descriptor.digest,
      );
      return { ...descriptor, mediaType };
    },
    tag(repository, tag, digest) {
      const directory = `repositories/${repository}/_manifests/tags/${tag}`;
      write(`${directory}/index/${digest.replace(':', '/')}/link`, digest);
      write(`${directory}/current/link`, digest);
    },
    deleteRevision: (repository, digest) =>
      rmSync(path(`repositories/${repository}/_manifests/revisions/${digest.replace(':', '/')}/link`)),
    age(milliseconds) {
      const time = (Date.now() - milliseconds) / 1000;
      for (const file of files()) utimesSync(path(file), time, time);
    },
  };
}
