/** Made-up images: the same seed gives the same bytes, so that two registries can be given the same pushes. */
import { createCipheriv, createHash } from 'node:crypto';

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

export interface Content {
  mediaType: string;
  digest: string;
  bytes: Buffer;
}

export interface Image {
  manifest: Content;
  /** The configuration and the layers, in the order in which the manifest names them. */
  blobs: Content[];
}

export interface ImageOptions {
  /** Bytes of each layer. */
  layers?: number[];
  /** Layers that other images have, too; they come after these. */
  shared?: Content[];
  /** Further fields of the manifest, such as `subject` or `artifactType`. */
  fields?: Record<string, unknown>;
}

/** Bytes that look random and don't compress; one `seed` always gives the same. */
export function seededBytes(seed: string, size: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

export function digestOf(bytes: Uint8Array, algorithm = 'sha256'): string {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function content(mediaType: string, bytes: Buffer): Content {
  return { mediaType, digest: digestOf(bytes), bytes };
}

export function json(mediaType: string, value: unknown): Content {
  return content(mediaType, Buffer.from(JSON.stringify(value)));
}

export function descriptor({ mediaType, digest, bytes }: Content): Record<string, unknown> {
  return { mediaType, digest, size: bytes.length };
}

/** An OCI image of layers that nobody can unpack: fine for a registry, not for an engine. */
export function image(seed: string, { layers = [1000], shared = [], fields = {} }: ImageOptions = {}): Image {
  const config = json(mediaTypes.config, { architecture: 'amd64', os: 'linux', author: seed });
  const ownLayers = layers.map((size, i) => content(mediaTypes.layer, seededBytes(`${seed}/${i}`, size)));
  const layerBlobs = [...ownLayers, ...shared];
  const manifest = json(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(config),
    layers: layerBlobs.map(descriptor),
    ...fields,
  });
  return { manifest, blobs: [config, ...layerBlobs] };
}

/** The same content under the docker media types. */
export function dockerImage(seed: string): Image {
  const [config, layer] = image(seed).blobs.map((blob, i) => ({ ...blob, mediaType: dockerBlobTypes[i] ?? '' }));
  if (!config || !layer) throw new Error('an image has a configuration and a layer');
  const manifest = json(mediaTypes.dockerManifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: descriptor(config),
    layers: [descriptor(layer)],
  });
  return { manifest, blobs: [config, layer] };
}

const dockerBlobTypes = [
  'application/vnd.docker.container.image.v1+json',
  'application/vnd.docker.image.rootfs.diff.tar.gzip',
];

/** An index of `images`, one for each of the first architectures. */
export function index(images: Image[], mediaType: string = mediaTypes.index): Content {
  const architectures = ['amd64', 'arm64', 'riscv64', 's390x'];
  return json(mediaType, {
    schemaVersion: 2,
    mediaType,
    manifests: images.map((image, i) => ({
      ...descriptor(image.manifest),
      platform: { os: 'linux', architecture: architectures[i % architectures.length] },
    })),
  });
}
