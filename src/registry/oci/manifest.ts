/**
 * Reading manifests: what they are and what they refer to. Pure; the bytes themselves are never changed.
 * Sources: image-spec manifest.md and image-index.md, distribution's manifest/{ocischema,schema2,manifestlist}.
 */
import { parseDigest, type Digest } from './digest.ts';
import { RegistryError } from './errors.ts';

export const mediaTypes = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  /** Of image-spec 1.1's release candidates; dropped from the spec, but some registries still hold it. */
  ociArtifact: 'application/vnd.oci.artifact.manifest.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

/** Bytes. A manifest is read into memory whole, so nothing larger is taken for one, whatever a configuration says. */
export const largestManifest = 64 * 1024 * 1024;

const kinds: Partial<Record<string, Manifest['kind']>> = {
  [mediaTypes.ociManifest]: 'image',
  [mediaTypes.dockerManifest]: 'image',
  [mediaTypes.ociIndex]: 'index',
  [mediaTypes.dockerList]: 'index',
  [mediaTypes.ociArtifact]: 'artifact',
};

export interface Descriptor {
  mediaType: string;
  digest: Digest;
  /** Bytes. */
  size: number;
  /** Where else the content can be had; a layer that has some may be missing here. */
  urls?: string[];
  artifactType?: string;
  annotations?: Record<string, string>;
  /** Of a child of an index. */
  platform?: Platform;
}

export interface Platform {
  architecture: string;
  os: string;
}

export interface Manifest {
  kind: 'image' | 'index' | 'artifact';
  mediaType: string;
  /** Of an image; never of an index. */
  config?: Descriptor;
  /** Of an image, or the blobs of an artifact. */
  layers: Descriptor[];
  /** Of an index: its children. */
  manifests: Descriptor[];
  subject?: Descriptor;
  /** As referrers show it: the manifest's own, else the media type of its config. */
  artifactType?: string;
  annotations?: Record<string, string>;
}

type Json = Record<string, unknown>;

/**
 * Reads a manifest that a client pushes. `contentType` may carry parameters; without one the bytes decide. It must agree
 * with the bytes, because the media type is not stored: {@link storedMediaType} derives it again for each pull.
 * Throws MANIFEST_INVALID with the field that is wrong.
 */
export function parseManifest(bytes: Uint8Array, contentType?: string): Manifest {
  const json = parseObject(bytes);
  const mediaType = mediaTypeOf(json);
  const kind = kinds[mediaType];
  if (kind === undefined) throw invalid(`media type ${mediaType} is not one of ${Object.keys(kinds).join(', ')}`);
  const declared = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (declared !== undefined && declared !== '' && declared !== mediaType) {
    throw invalid(`Content-Type is ${declared}, but the manifest is ${mediaType}`);
  }
  if (kind !== 'artifact' && json['schemaVersion'] !== 2) throw invalid('schemaVersion must be 2');
  refuseTwoFaced(kind, json);
  return withoutUndefined({
    kind,
    mediaType,
    config: kind === 'image' ? descriptor(json['config'], 'config') : undefined,
    layers: kind === 'index' ? [] : descriptors(json, kind === 'image' ? 'layers' : 'blobs'),
    manifests: kind === 'index' ? descriptors(json, 'manifests') : [],
    subject: isAbsent(json['subject']) ? undefined : descriptor(json['subject'], 'subject'),
    artifactType: artifactType(json),
    annotations: annotations(json['annotations'], 'annotations'),
  });
}

/** The media type of bytes found in storage; `undefined` when they are no manifest. It does not validate them. */
export function storedMediaType(bytes: Uint8Array): string | undefined {
  try {
    return mediaTypeOf(parseObject(bytes));
  } catch {
    return undefined;
  }
}

function mediaTypeOf(json: Json): string {
  const stated = json['mediaType'];
  if (typeof stated === 'string' && stated !== '') return stated;
  if (json['schemaVersion'] === 1) {
    return Array.isArray(json['signatures']) ? mediaTypes.dockerSchema1Signed : mediaTypes.dockerSchema1;
  }
  return Array.isArray(json['manifests']) ? mediaTypes.ociIndex : mediaTypes.ociManifest;
}

function parseObject(bytes: Uint8Array): Json {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RegistryError('MANIFEST_INVALID', { message: 'the manifest is not JSON', cause });
  }
  if (!isObject(value)) throw invalid('the manifest is not a JSON object');
  return value;
}

/** A document that is an image to one client and an index to another is an attack: CVE-2021-41190. */
function refuseTwoFaced(kind: Manifest['kind'], json: Json): void {
  const foreign = kind === 'index' ? ['config', 'layers'] : ['manifests'];
  for (const field of foreign) {
    if (!isAbsent(json[field]))
      throw invalid(`${kind === 'index' ? 'an' : 'a manifest of an'} ${kind} has no ${field}`);
  }
}

function artifactType(json: Json): string | undefined {
  const own = json['artifactType'];
  if (typeof own === 'string' && own !== '') return own;
  if (!isAbsent(own) && own !== '') throw invalid('artifactType must be a string');
  const config = json['config'];
  return isObject(config) && typeof config['mediaType'] === 'string' ? config['mediaType'] : undefined;
}

/** `null` and absence are an empty list, as Go's decoder has it and some tools rely on. */
function descriptors(json: Json, field: string): Descriptor[] {
  const list = json[field];
  if (isAbsent(list)) return [];
  if (!Array.isArray(list)) throw invalid(`${field} must be a list`);
  return list.map((item, index) => descriptor(item, `${field}[${index}]`));
}

function descriptor(value: unknown, at: string): Descriptor {
  if (!isObject(value)) throw invalid(`${at} must be a descriptor`);
  const { mediaType, digest, size, urls } = value;
  if (typeof mediaType !== 'string') throw invalid(`${at}.mediaType must be a string`);
  const parsed = typeof digest === 'string' ? parseDigest(digest) : undefined;
  if (!parsed) throw invalid(`${at}.digest must be a sha256 or sha512 digest`, digest);
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw invalid(`${at}.size must be a number of bytes`, size);
  if (!isAbsent(urls) && !isStrings(urls)) throw invalid(`${at}.urls must be a list of strings`);
  return withoutUndefined({
    mediaType,
    digest: parsed,
    size: size as number,
    urls: isStrings(urls) && urls.length > 0 ? urls : undefined,
    artifactType: typeof value['artifactType'] === 'string' ? value['artifactType'] : undefined,
    annotations: annotations(value['annotations'], `${at}.annotations`),
    platform: platform(value['platform']),
  });
}

/** For choosing children only, so that one that is malformed is none. */
function platform(value: unknown): Platform | undefined {
  if (!isObject(value) || typeof value['architecture'] !== 'string' || typeof value['os'] !== 'string')
    return undefined;
  return { architecture: value['architecture'], os: value['os'] };
}

function annotations(value: unknown, at: string): Record<string, string> | undefined {
  if (isAbsent(value)) return undefined;
  if (!isObject(value) || !isStrings(Object.values(value))) throw invalid(`${at} must map strings to strings`);
  return value as Record<string, string>;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function invalid(message: string, detail?: unknown): RegistryError {
  return new RegistryError('MANIFEST_INVALID', detail === undefined ? { message } : { message, detail });
}

/** Drops absent fields, so that the result has the shape of `T` under exactOptionalPropertyTypes. */
function withoutUndefined<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
