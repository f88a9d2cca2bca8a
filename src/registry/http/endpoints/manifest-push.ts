/** `PUT /v2/<name>/manifests/<tag or digest>` (distribution-spec end-7a and end-7b). */
import { createHash } from 'node:crypto';
import { digestAlgorithm, type Digest, type DigestAlgorithm } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { parseManifest, type Manifest } from '#registry/oci/manifest.ts';
import { isTag, type Reference } from '#registry/oci/reference.ts';
import { precondition } from '#registry/http/conditions.ts';
import type { Answer, Exchange } from '#registry/http/exchange.ts';
import type { Links } from '#registry/http/links.ts';
import type { ManifestCheck } from './manifest-check.ts';
import { readBody } from '#registry/http/request-body.ts';
import { conditionFailed, expectCurrent } from './tag-swap.ts';

export type ManifestPush = (exchange: Exchange, reference: Reference) => Promise<Answer>;

export interface ManifestPushDeps {
  links: Links;
  check: ManifestCheck;
  /** `extensions.manifests.maxbytes`. */
  maxBytes: number;
  protect?: ProtectContent | undefined;
}

/**
 * Keeps a garbage collection from removing any of the content of a push from before it is looked for until after the
 * manifest and its tags are written: then the result is called.
 */
export type ProtectContent = (repository: string, digests: Digest[]) => Promise<() => void>;

/** Tags in one push by digest. The spec asks for at least 10; a request line of 16 KiB holds about as many long ones. */
const maxTags = 100;

const unprotected: ProtectContent = async () => () => undefined;

export function createManifestPush({ links, check, maxBytes, protect = unprotected }: ManifestPushDeps): ManifestPush {
  const tooLarge = () =>
    new RegistryError('MANIFEST_INVALID', { status: 413, message: `a manifest has ${maxBytes} bytes at most` });

  return async (exchange, reference) => {
    const tags = requestedTags(exchange, reference);
    const condition = precondition(exchange.request.headers);
    if (condition) await expectCurrent(exchange.repository(), { reference, tags }, condition);
    const bytes = await readBody(exchange.request, maxBytes, tooLarge);
    const digest = contentDigest(bytes, reference);
    const manifest = parseManifest(bytes, exchange.request.headers['content-type']);
    const repository = exchange.repository();
    const release = await protect(exchange.name, [digest, ...contentOf(manifest)]);
    try {
      await check(repository, manifest);
      const stored = { digest, mediaType: manifest.mediaType, bytes };
      const conflict = await repository.manifests.put(stored, { tags, condition });
      if (conflict) throw conditionFailed(conflict);
    } finally {
      release();
    }
    const headers: Answer['headers'] = {
      Location: links.manifest(exchange, digest),
      'Docker-Content-Digest': digest,
    };
    if (manifest.subject) headers['OCI-Subject'] = manifest.subject.digest;
    if (reference.kind === 'digest' && tags.length > 0) headers['OCI-Tag'] = tags;
    return { status: 201, headers };
  };
}

/** The tag of the path, or the ones that `?tag=` gives to a digest. */
function requestedTags(exchange: Exchange, reference: Reference): string[] {
  if (reference.kind === 'tag') return [reference.tag];
  const tags = [...new Set(exchange.query().getAll('tag'))];
  if (tags.length > maxTags) {
    throw new RegistryError('TAG_INVALID', { status: 414, message: `a push can set ${maxTags} tags at most` });
  }
  const bad = tags.find((tag) => !isTag(tag));
  if (bad !== undefined) throw new RegistryError('TAG_INVALID', { message: 'not a tag', detail: { tag: bad } });
  return tags;
}

function contentOf({ config, layers, manifests }: Manifest): Digest[] {
  return [...(config ? [config] : []), ...layers, ...manifests].map(({ digest }) => digest);
}

function contentDigest(bytes: Buffer, reference: Reference): Digest {
  if (reference.kind === 'tag') return digestOf('sha256', bytes);
  const actual = digestOf(digestAlgorithm(reference.digest), bytes);
  if (actual === reference.digest) return actual;
  throw new RegistryError('DIGEST_INVALID', { detail: { expected: reference.digest, actual } });
}

function digestOf(algorithm: DigestAlgorithm, bytes: Buffer): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}
