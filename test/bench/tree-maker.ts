/** Large volumes, written straight to disk as distribution lays them out: pushing them would take hours. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fallbackTag } from '#registry/catalog/referrers.ts';
import type { Digest } from '#registry/oci/digest.ts';
import {
  descriptor,
  digestOf,
  image,
  json,
  mediaTypes,
  seededBytes,
  type Content,
  type Image,
} from '#test/support/content.ts';

const example = image('tree', { layers: [1000] });

async function write(root: string, path: string, data: string | Uint8Array): Promise<void> {
  const target = join(root, 'docker/registry/v2', path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, data);
}

const slashed = (digest: string) => digest.replace(':', '/');

async function writeBlob(root: string, { digest, bytes }: Pick<Content, 'digest' | 'bytes'>): Promise<void> {
  const hex = digest.slice(digest.indexOf(':') + 1);
  await write(root, `blobs/sha256/${hex.slice(0, 2)}/${hex}/data`, bytes);
}

async function writeImage(root: string, repository: string, { manifest, blobs }: Image): Promise<void> {
  const folder = `repositories/${repository}`;
  await write(root, `${folder}/_manifests/revisions/${slashed(manifest.digest)}/link`, manifest.digest);
  for (const { digest } of blobs) await write(root, `${folder}/_layers/${slashed(digest)}/link`, digest);
}

async function writeTag(root: string, repository: string, tag: string, digest: string): Promise<void> {
  const folder = `repositories/${repository}/_manifests/tags/${tag}`;
  await write(root, `${folder}/current/link`, digest);
  await write(root, `${folder}/index/${slashed(digest)}/link`, digest);
}

/** `count` repositories with one image each, a tenth of them nested. */
export async function makeRepositories(root: string, count: number): Promise<void> {
  for (const blob of [example.manifest, ...example.blobs]) await writeBlob(root, blob);
  for (let i = 0; i < count; i++) {
    const name = `team-${i % 100}/${i % 10 === 0 ? 'group/' : ''}app-${i}`;
    await writeImage(root, name, example);
    await writeTag(root, name, 'latest', example.manifest.digest);
  }
}

/** One repository `tags` with `count` tags of one image. */
export async function makeTags(root: string, count: number): Promise<void> {
  for (const blob of [example.manifest, ...example.blobs]) await writeBlob(root, blob);
  await writeImage(root, 'tags', example);
  for (let i = 0; i < count; i++) await writeTag(root, 'tags', `v1.${i}`, example.manifest.digest);
}

/**
 * `count` images in one repository, each with two that point at it, and the tag under which clients list these where a registry has
 * no referrers. Gives the digests of the images.
 */
export async function makeReferrers(root: string, repository: string, count: number): Promise<Digest[]> {
  for (const blob of example.blobs) await writeBlob(root, blob);
  const digests: Digest[] = [];
  for (let i = 0; i < count; i++) {
    const signed = withFields({ annotations: { number: String(i) } });
    const subject = descriptor(signed.manifest);
    const referrers = ['signature', 'sbom'].map((type) => withFields({ artifactType: `example/${type}`, subject }));
    const list = json(mediaTypes.index, {
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: referrers.map(({ manifest }) => descriptor(manifest)),
    });
    for (const held of [signed, ...referrers, { manifest: list, blobs: [] }]) {
      await writeBlob(root, held.manifest);
      await writeImage(root, repository, held);
    }
    const digest = signed.manifest.digest as Digest;
    await writeTag(root, repository, fallbackTag(digest), list.digest);
    digests.push(digest);
  }
  return digests;
}

/** The example with its blobs under another manifest. */
function withFields(fields: Record<string, unknown>): Image {
  const manifest = JSON.parse(example.manifest.bytes.toString()) as Record<string, unknown>;
  return { manifest: json(mediaTypes.manifest, { ...manifest, ...fields }), blobs: example.blobs };
}

/** `count` blobs of 1 KiB: a third manifests and layers of tagged images, two thirds without any. */
export async function makeGarbage(root: string, count: number): Promise<void> {
  for (let i = 0; i < count / 9; i++) {
    const kept = image(`kept ${i}`, { layers: [1024] });
    const repository = `images-${i % 50}`;
    for (const blob of [kept.manifest, ...kept.blobs]) await writeBlob(root, blob);
    await writeImage(root, repository, kept);
    await writeTag(root, repository, `v${i}`, kept.manifest.digest);
  }
  for (let i = 0; i < (count * 2) / 3; i++) {
    const bytes = seededBytes(`garbage ${i}`, 1024);
    await writeBlob(root, { digest: digestOf(bytes), bytes });
  }
}
