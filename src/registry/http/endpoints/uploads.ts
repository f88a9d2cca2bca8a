/**
 * `/v2/<name>/blobs/uploads/`: pushes of blobs (distribution-spec end-4 to end-6, end-11, end-13, end-14). The state of an
 * upload is in storage, not in its address, so that it can go on after a restart, and in another replica.
 */
import { digestAlgorithm, parseDigest, type Digest, type DigestAlgorithm } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { isRepositoryName } from '#registry/oci/reference.ts';
import type { BlobDescriptor, Upload } from '#registry/storage/store.ts';
import type { Answer, Exchange, Methods } from '#registry/http/exchange.ts';
import type { Links } from '#registry/http/links.ts';
import { bodySource, hasBody } from '#registry/http/request-body.ts';
import { requiredDigest } from '#registry/http/required-digest.ts';
import { checkChunk } from './upload-chunk.ts';

/** `POST`: mounts a blob of another repository, takes a whole blob, or opens a session. */
export function uploadsEndpoint(links: Links): Methods {
  async function start(exchange: Exchange): Promise<Answer> {
    const query = exchange.query();
    const mounted = await mount(exchange, query);
    if (mounted) return createdAnswer(exchange, links, mounted);
    const digest = query.get('digest');
    if (digest !== null && isWhole(exchange, digest)) return single(exchange, requiredDigest(digest));
    const upload = await exchange.repository().uploads.create(requestedAlgorithm(query));
    return sessionAnswer(exchange, links, upload, 202);
  }

  async function single(exchange: Exchange, digest: Digest): Promise<Answer> {
    const upload = await exchange.repository().uploads.create(digestAlgorithm(digest));
    try {
      if (hasBody(exchange.request)) await upload.append(bodySource(exchange.request));
      return createdAnswer(exchange, links, await upload.commit(digest));
    } catch (error) {
      // Nobody knows its address, so that nobody could resume it; what is left after a failure here is purged some day.
      await upload.cancel().catch(() => undefined);
      throw error;
    }
  }

  return { POST: start };
}

/** One session: its status, chunks, end, and cancellation. */
export function uploadEndpoint(links: Links): Methods {
  async function status(exchange: Exchange): Promise<Answer> {
    return sessionAnswer(exchange, links, await session(exchange), 204);
  }

  async function append(exchange: Exchange): Promise<Answer> {
    const upload = await session(exchange);
    checkChunk(exchange.request, upload, () => sessionHeaders(exchange, links, upload));
    await upload.append(bodySource(exchange.request));
    return sessionAnswer(exchange, links, upload, 202);
  }

  async function finish(exchange: Exchange): Promise<Answer> {
    const upload = await session(exchange);
    const digest = requiredDigest(exchange.query().get('digest'));
    if (hasBody(exchange.request)) {
      checkChunk(exchange.request, upload, () => sessionHeaders(exchange, links, upload));
      await upload.append(bodySource(exchange.request));
    }
    return createdAnswer(exchange, links, await upload.commit(digest));
  }

  async function cancel(exchange: Exchange): Promise<Answer> {
    const upload = await session(exchange);
    await upload.cancel();
    return { status: 204, headers: { 'Docker-Upload-UUID': upload.id } };
  }

  return { GET: status, PATCH: append, PUT: finish, DELETE: cancel };
}

async function session(exchange: Exchange): Promise<Upload> {
  const id = exchange.subject;
  const upload = isUuid(id) ? await exchange.repository().uploads.get(id) : undefined;
  if (!upload) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', { detail: { uuid: id } });
  return upload;
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/**
 * Any failure to mount is no error: the client then uploads the blob (end-11). Who may not read every repository has to name
 * the one that he takes the blob from, and has been asked for his rights there.
 */
async function mount(exchange: Exchange, query: URLSearchParams): Promise<BlobDescriptor | undefined> {
  const digest = parseDigest(query.get('mount') ?? '');
  const from = query.get('from') || undefined;
  if (from === undefined && !exchange.unrestricted) return undefined;
  if (!digest || (from !== undefined && !isRepositoryName(from))) return undefined;
  return exchange.repository().blobs.mount(digest, from);
}

/** Digests of no bytes at all. */
const emptyDigests = new Set([
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
]);

/** A client that names the digest but sends no bytes goes on with the session, as it must with registries without end-4b. */
function isWhole({ request }: Exchange, digest: string): boolean {
  return hasBody(request) || emptyDigests.has(digest);
}

function requestedAlgorithm(query: URLSearchParams): DigestAlgorithm | undefined {
  const algorithm = query.get('digest-algorithm');
  if (algorithm === null || algorithm === 'sha256' || algorithm === 'sha512') return algorithm ?? undefined;
  throw new RegistryError('DIGEST_INVALID', { message: 'digest-algorithm is sha256 or sha512', detail: { algorithm } });
}

function createdAnswer(exchange: Exchange, links: Links, blob: BlobDescriptor): Answer {
  const headers = { Location: links.blob(exchange, blob.digest), 'Docker-Content-Digest': blob.digest };
  return { status: 201, headers };
}

function sessionAnswer(exchange: Exchange, links: Links, upload: Upload, status: number): Answer {
  return { status, headers: sessionHeaders(exchange, links, upload) };
}

function sessionHeaders(exchange: Exchange, links: Links, upload: Upload): Record<string, string> {
  return {
    Location: links.upload(exchange, upload.id),
    // With nothing received it is the same as with one byte: the spec has no other way to say it.
    Range: `0-${Math.max(0, upload.size - 1)}`,
    'Docker-Upload-UUID': upload.id,
  };
}
