/**
 * What a manifest refers to, read leniently: whatever another registry or an older client stored must be understood as
 * far as it names content, since a reference that is missed here is content that is lost.
 * Source: image-spec manifest.md and image-index.md, Docker schema 2 and schema 1, the artifact manifest of 1.1-rc.
 */

export interface ContentReference {
  /** Checked in form only: any algorithm, so that content of one that we do not write is kept, too. */
  digest: string;
  /** Bytes as the manifest states them; 0 when it does not. */
  size: number;
}

export interface ManifestReferences {
  /** Manifests of an index or a manifest list. */
  manifests: ContentReference[];
  /** Config, layers, and the blobs of an artifact manifest. */
  blobs: ContentReference[];
  /** The manifest that this one says something about. */
  subject?: string;
}

const digestForm = /^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]{1,256}$/;

/** Safe in a path: the algorithm and the encoded part have no slash, and neither can be a dot alone. */
export function isDigestForm(text: unknown): text is string {
  return typeof text === 'string' && digestForm.test(text);
}

/** `undefined` when `bytes` are not a JSON object: then nothing can be said of what they refer to. */
export function readReferences(bytes: Uint8Array): ManifestReferences | undefined {
  const document = parseObject(bytes);
  if (!document) return undefined;
  const found: ManifestReferences = {
    manifests: descriptors(document['manifests']),
    blobs: [
      ...descriptors([document['config']]),
      ...descriptors(document['layers']),
      ...descriptors(document['blobs']),
      ...schema1Layers(document['fsLayers']),
    ],
  };
  const subject = descriptors([document['subject']])[0];
  if (subject) found.subject = subject.digest;
  return found;
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function descriptors(list: unknown): ContentReference[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    if (!isObject(item) || !isDigestForm(item['digest'])) return [];
    const size = item['size'];
    return [{ digest: item['digest'], size: typeof size === 'number' && size > 0 ? size : 0 }];
  });
}

function schema1Layers(list: unknown): ContentReference[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) =>
    isObject(item) && isDigestForm(item['blobSum']) ? [{ digest: item['blobSum'], size: 0 }] : [],
  );
}
