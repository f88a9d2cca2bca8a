/** The smallest client of the distribution API; it checks every digest that it is told and every byte that it gets. */
import assert from 'node:assert/strict';
import { digestOf, mediaTypes, type Content, type Image } from './content.ts';

const accepted = Object.values(mediaTypes).join(', ');

export interface RegistryClient {
  pushImage(repository: string, image: Image, tag?: string): Promise<void>;
  pushManifest(repository: string, manifest: Content, reference?: string): Promise<void>;
  /** POST, PATCH with all bytes, PUT: as docker and podman do. */
  pushBlob(repository: string, bytes: Uint8Array, digest?: string): Promise<void>;
  /** An upload that got these bytes and is never finished. */
  openUpload(repository: string, bytes: Uint8Array): Promise<void>;
  /** `true` when it was mounted, `false` when the registry opened an upload instead. */
  mount(repository: string, digest: string, from: string): Promise<boolean>;
  /** The manifest, its digest checked; `undefined` for 404. */
  manifest(repository: string, reference: string): Promise<Content | undefined>;
  /** The bytes, their digest checked; `undefined` for 404. */
  blob(repository: string, digest: string): Promise<Buffer | undefined>;
  /** Follows the links of all pages; `undefined` for an unknown repository. */
  tags(repository: string): Promise<string[] | undefined>;
  repositories(): Promise<string[]>;
  deleteManifest(repository: string, reference: string): Promise<void>;
  deleteBlob(repository: string, digest: string): Promise<void>;
  /** Pulls the manifest and everything below it; gives the number of bytes. Throws when something is missing or wrong. */
  pullAll(repository: string, reference: string): Promise<number>;
}

/** `url` as TestRegistry gives it. */
export function registryClient(url: string): RegistryClient {
  const v2 = (path: string) => new URL(`/v2/${path}`, url);

  async function send(target: URL, init: RequestInit, ...expected: number[]): Promise<Response> {
    const response = await fetch(target, init);
    if (expected.includes(response.status)) return response;
    const text = await response.text();
    throw new Error(`${init.method ?? 'GET'} ${target.pathname}: ${response.status} ${text}`);
  }

  async function done(target: URL, init: RequestInit, ...expected: number[]): Promise<Response> {
    const response = await send(target, init, ...expected);
    await response.arrayBuffer();
    return response;
  }

  const location = (response: Response) => new URL(response.headers.get('location') ?? '', url);

  async function openUpload(repository: string, bytes: Uint8Array): Promise<URL> {
    const started = await done(v2(`${repository}/blobs/uploads/`), { method: 'POST' }, 202);
    const body = bytes as Uint8Array<ArrayBuffer>;
    const headers = { 'content-type': 'application/octet-stream' };
    return location(await done(location(started), { method: 'PATCH', body, headers }, 202));
  }

  async function pushBlob(repository: string, bytes: Uint8Array, digest = digestOf(bytes)): Promise<void> {
    const target = await openUpload(repository, bytes);
    target.searchParams.set('digest', digest);
    await done(target, { method: 'PUT' }, 201);
  }

  async function pushManifest(repository: string, manifest: Content, reference = manifest.digest): Promise<void> {
    const response = await done(
      v2(`${repository}/manifests/${reference}`),
      {
        method: 'PUT',
        body: manifest.bytes as Uint8Array<ArrayBuffer>,
        headers: { 'content-type': manifest.mediaType },
      },
      201,
    );
    assert.equal(response.headers.get('docker-content-digest'), manifest.digest);
  }

  async function pushImage(repository: string, image: Image, tag?: string): Promise<void> {
    for (const blob of image.blobs) await pushBlob(repository, blob.bytes, blob.digest);
    await pushManifest(repository, image.manifest, tag);
  }

  async function mount(repository: string, digest: string, from: string): Promise<boolean> {
    const target = v2(`${repository}/blobs/uploads/`);
    target.searchParams.set('mount', digest);
    target.searchParams.set('from', from);
    const response = await done(target, { method: 'POST' }, 201, 202);
    return response.status === 201;
  }

  async function manifest(repository: string, reference: string): Promise<Content | undefined> {
    const target = v2(`${repository}/manifests/${reference}`);
    const response = await send(target, { headers: { accept: accepted } }, 200, 404);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status === 404) return undefined;
    const digest = response.headers.get('docker-content-digest');
    assert.equal(digestOf(bytes), digest);
    if (reference.includes(':')) assert.equal(digest, reference);
    return { mediaType: response.headers.get('content-type') ?? '', digest: digestOf(bytes), bytes };
  }

  async function blob(repository: string, digest: string): Promise<Buffer | undefined> {
    const response = await send(v2(`${repository}/blobs/${digest}`), {}, 200, 404);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status === 404) return undefined;
    assert.equal(digestOf(bytes, digest.split(':')[0]), digest);
    return bytes;
  }

  async function pages(path: string, key: string): Promise<string[] | undefined> {
    const all: string[] = [];
    for (let next: URL | undefined = v2(path); next;) {
      const response: Response = await send(next, {}, 200, 404);
      const body = (await response.json()) as Record<string, string[] | null>;
      if (response.status === 404) return undefined;
      all.push(...(body[key] ?? []));
      const link = /<([^>]+)>; *rel="?next"?/.exec(response.headers.get('link') ?? '');
      next = link?.[1] ? new URL(link[1], url) : undefined;
    }
    return all;
  }

  async function pullAll(repository: string, reference: string): Promise<number> {
    const found = await manifest(repository, reference);
    if (!found) throw new Error(`${repository}:${reference} is missing`);
    const { config, layers = [], manifests = [] } = JSON.parse(found.bytes.toString()) as References;
    let bytes = found.bytes.length;
    for (const child of manifests) bytes += await pullAll(repository, child.digest);
    for (const part of config ? [config, ...layers] : layers) {
      const data = await blob(repository, part.digest);
      if (!data) throw new Error(`${repository}@${part.digest} is missing`);
      bytes += data.length;
    }
    return bytes;
  }

  return {
    pushImage,
    pushManifest,
    pushBlob,
    openUpload: async (repository, bytes) => {
      await openUpload(repository, bytes);
    },
    mount,
    manifest,
    blob,
    pullAll,
    tags: (repository) => pages(`${repository}/tags/list`, 'tags'),
    repositories: async () => (await pages('_catalog', 'repositories')) ?? [],
    deleteManifest: async (repository, reference) => {
      await done(v2(`${repository}/manifests/${reference}`), { method: 'DELETE' }, 202);
    },
    deleteBlob: async (repository, digest) => {
      await done(v2(`${repository}/blobs/${digest}`), { method: 'DELETE' }, 202);
    },
  };
}

interface References {
  config?: { digest: string };
  layers?: { digest: string }[];
  manifests?: { digest: string }[];
}
