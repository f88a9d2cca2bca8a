/** `/v2/<name>/manifests/<tag or digest>` (distribution-spec end-2, end-7, end-9). */
import type { Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { parseReference, type Reference } from '#registry/oci/reference.ts';
import type { RepositoryStore, StoredManifest } from '#registry/storage/store.ts';
import { conditionalAnswer, precondition } from '#registry/http/conditions.ts';
import type { Answer, Exchange, Methods } from '#registry/http/exchange.ts';
import type { ManifestPush } from './manifest-push.ts';
import { removeReference } from './tag-swap.ts';
import { requireDeletion } from './deletion.ts';

export interface ManifestsDeps {
  /** `storage.delete.enabled`. */
  deleteEnabled: boolean;
  push: ManifestPush;
}

export function manifestsEndpoint({ deleteEnabled, push }: ManifestsDeps): Methods {
  /** What was pushed, byte for byte and with its own type, whatever Accept says: a client that can't read it will say so better. */
  async function get(exchange: Exchange): Promise<Answer> {
    const reference = subjectReference(exchange);
    const repository = exchange.repository();
    const manifest = await find(repository, reference);
    if (!manifest) throw unknownManifest(exchange);
    const headers = entity(manifest);
    const conditional = conditionalAnswer(exchange.request.headers, manifest.digest, headers);
    return conditional ?? { status: 200, headers, body: manifest.bytes };
  }

  async function remove(exchange: Exchange): Promise<Answer> {
    const reference = subjectReference(exchange);
    requireDeletion(deleteEnabled);
    const condition = precondition(exchange.request.headers);
    if (!(await removeReference(exchange.repository(), reference, condition))) throw unknownManifest(exchange);
    return { status: 202, headers: {} };
  }

  return { GET: get, PUT: (exchange) => push(exchange, subjectReference(exchange)), DELETE: remove };
}

async function find(repository: RepositoryStore, reference: Reference): Promise<StoredManifest | undefined> {
  const digest = reference.kind === 'digest' ? reference.digest : await repository.tags.resolve(reference.tag);
  return digest && repository.manifests.get(digest);
}

function entity({ digest, mediaType }: { digest: Digest; mediaType: string }): Answer['headers'] {
  return { 'Content-Type': mediaType, 'Docker-Content-Digest': digest, ETag: `"${digest}"` };
}

function subjectReference({ subject }: Exchange): Reference {
  const reference = parseReference(subject);
  if (reference) return reference;
  // Only digests have a colon.
  const code = subject.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID';
  throw new RegistryError(code, { message: 'neither a tag nor a digest', detail: { reference: subject } });
}

function unknownManifest({ name, subject }: Exchange): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', { detail: { name, reference: subject } });
}
