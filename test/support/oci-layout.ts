/** OCI image layouts on disk: what clients push from and pull into. Source: image-spec image-layout.md. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  content,
  descriptor,
  digestOf,
  index,
  json,
  mediaTypes,
  seededBytes,
  type Content,
  type Image,
} from './content.ts';
import { tarFile } from './tar.ts';

/** An image that an engine can unpack: one gzipped tar layer with one file of `size` bytes. */
export function unpackableImage(seed: string, architecture = 'amd64', size = 100_000): Image {
  const tar = tarFile(`etc/${architecture}`, seededBytes(`${seed}/${architecture}`, size));
  const layer = content(`${mediaTypes.layer}+gzip`, gzipSync(tar));
  const config = json(mediaTypes.config, {
    architecture,
    os: 'linux',
    config: { Cmd: ['/bin/true'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
    history: [{ created: '2026-01-01T00:00:00Z', created_by: seed }],
  });
  const manifest = json(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: descriptor(config),
    layers: [descriptor(layer)],
  });
  return { manifest, blobs: [config, layer] };
}

/** Writes a layout whose only entry, `latest`, is the image, or an index of the images when there are several. */
export async function writeLayout(folder: string, images: Image[]): Promise<Content> {
  const [only] = images;
  const top = only && images.length === 1 ? only.manifest : index(images);
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true });
  for (const { digest, bytes } of [top, ...images.flatMap((image) => [image.manifest, ...image.blobs])]) {
    await writeFile(join(folder, 'blobs', ...digest.split(':')), bytes);
  }
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const entry = { ...descriptor(top), annotations };
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests: [entry] }),
  );
  return top;
}

/** The digest of the layout's entry `latest`, or of its only one, after every file of the layout was hashed. */
export async function readLayout(folder: string): Promise<string> {
  const { manifests } = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as { manifests: Entry[] };
  const blobs = join(folder, 'blobs', 'sha256');
  for (const name of await readdir(blobs)) {
    const digest = digestOf(await readFile(join(blobs, name)));
    if (digest !== `sha256:${name}`) throw new Error(`${folder}: ${name} holds ${digest}`);
  }
  const latest = manifests.find((entry) => entry.annotations?.['org.opencontainers.image.ref.name'] === 'latest');
  const entry = latest ?? manifests[0];
  if (!entry || (!latest && manifests.length > 1)) throw new Error(`${folder} has ${manifests.length} entries`);
  return entry.digest;
}

interface Entry {
  digest: string;
  annotations?: Record<string, string>;
}
