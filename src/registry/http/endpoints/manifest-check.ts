/**
 * A manifest is taken only when all that it refers to is there, so that nobody pulls half an image. Its subject may come
 * later (distribution-spec "Pushing Manifests with Subject"), and layers that have URLs may be elsewhere.
 * Source: distribution, registry/storage/{ocimanifesthandler,schema2manifesthandler,manifestlisthandler}.go.
 */
import type { Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import type { Descriptor, Manifest } from '#registry/oci/manifest.ts';
import type { RepositoryStore } from '#registry/storage/store.ts';
import { workThrough } from '#registry/storage/work-through.ts';
import { RegistryErrors } from '#registry/http/error-handler.ts';

export interface ValidationOptions {
  /** Off: neither the rules for URLs nor the children of indexes are looked at; blobs must be here all the same. */
  enabled: boolean;
  /** Whether images and indexes are taken of which parts are missing. */
  sparse: boolean;
  /** What URLs of layers must match one of; empty: any. */
  urlAllow: RegExp[];
  urlDeny: RegExp[];
  /** Which children of an index must be here. */
  platforms: 'all' | 'none' | 'list';
  platformList: { architecture: string; os: string }[];
}

/** Throws MANIFEST_BLOB_UNKNOWN, one for each of the first digests that are missing and one for the rest, or MANIFEST_INVALID. */
export type ManifestCheck = (repository: RepositoryStore, manifest: Manifest) => Promise<void>;

export function createManifestCheck(configured: ValidationOptions): ManifestCheck {
  const options = configured.enabled ? configured : { ...configured, ...unchecked };
  return async (repository, manifest) => {
    for (const layer of manifest.layers) checkUrls(layer, options);
    if (options.sparse) return;
    const blobs = manifest.config ? [manifest.config, ...manifest.layers] : manifest.layers;
    const children = manifest.manifests.filter((child) => isRequired(child, options));
    const missing = [
      ...(await missingOf(
        blobs.filter((blob) => !isElsewhere(blob)),
        (digest) => repository.blobs.stat(digest),
      )),
      ...(await missingOf(children, (digest) => repository.manifests.get(digest))),
    ];
    const [first, ...rest] = unknownBlobs(missing);
    if (first) throw new RegistryErrors([first, ...rest]);
  };
}

/** What one answer names: nobody mends more by hand, and a manifest of 4 MiB can name tens of thousands. */
const namedAtMost = 100;

function unknownBlobs(missing: Digest[]): RegistryError[] {
  const named = missing.slice(0, namedAtMost);
  const errors = named.map((digest) => new RegistryError('MANIFEST_BLOB_UNKNOWN', { detail: { digest } }));
  const unnamed = missing.length - named.length;
  if (unnamed === 0) return errors;
  const message = `${unnamed} more blobs are unknown to registry`;
  return [...errors, new RegistryError('MANIFEST_BLOB_UNKNOWN', { message, detail: { unnamed } })];
}

const unchecked: Partial<ValidationOptions> = { urlAllow: [], urlDeny: [], platforms: 'none' };

/** Looks at a time: a children's look reads the whole manifest, for which it needs an open file and up to 4 MiB. */
const width = 16;

async function missingOf(descriptors: Descriptor[], find: (digest: Digest) => Promise<unknown>): Promise<Digest[]> {
  const digests = [...new Set(descriptors.map(({ digest }) => digest))];
  const missing = new Set<Digest>();
  const visit = async (digest: Digest) => void ((await find(digest)) ?? missing.add(digest));
  await workThrough(digests, { width, visit });
  return digests.filter((digest) => missing.has(digest));
}

/** Layers that a licence keeps out of registries, which say where they are. */
const foreignLayers = new Set([
  'application/vnd.docker.image.rootfs.foreign.diff.tar',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
]);

function isElsewhere({ mediaType, urls }: Descriptor): boolean {
  return foreignLayers.has(mediaType) && urls !== undefined && urls.length > 0;
}

function checkUrls({ urls, digest }: Descriptor, { urlAllow, urlDeny }: ValidationOptions): void {
  for (const text of urls ?? []) {
    const url = URL.parse(text);
    const sound = url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.hash === '';
    const allowed = urlAllow.length === 0 || urlAllow.some((rule) => rule.test(text));
    if (!sound || !allowed || urlDeny.some((rule) => rule.test(text))) {
      throw new RegistryError('MANIFEST_INVALID', {
        message: 'the URL of a layer is not allowed (validation.manifests.urls)',
        detail: { digest, url: text },
      });
    }
  }
}

function isRequired(child: Descriptor, { platforms, platformList }: ValidationOptions): boolean {
  if (platforms === 'all') return true;
  if (platforms === 'none') return false;
  const own = child.platform;
  return platformList.some(({ architecture, os }) => own?.architecture === architecture && own.os === os);
}
