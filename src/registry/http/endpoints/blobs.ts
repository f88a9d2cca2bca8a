/** `/v2/<name>/blobs/<digest>` (distribution-spec end-2 and end-10). */
import type { Digest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { parseRanges, type ByteRange } from '#registry/oci/range.ts';
import type { BlobReader } from '#registry/storage/store.ts';
import { blobBody, type DownloadDeps, type Piece } from '#registry/http/blob-body.ts';
import { byteRanges } from '#registry/http/byte-ranges.ts';
import { conditionalAnswer } from '#registry/http/conditions.ts';
import type { Answer, Exchange, Methods } from '#registry/http/exchange.ts';
import { requiredDigest } from '#registry/http/required-digest.ts';
import { requireDeletion } from './deletion.ts';

export interface BlobsDeps {
  downloads: DownloadDeps;
  /** `storage.delete.enabled`. */
  deleteEnabled: boolean;
}

export function blobsEndpoint({ downloads, deleteEnabled }: BlobsDeps): Methods {
  async function get(exchange: Exchange): Promise<Answer> {
    const digest = requiredDigest(exchange.subject);
    const reader = await exchange.repository().blobs.open(digest);
    if (!reader) throw unknownBlob(digest);
    let answer: Answer | undefined;
    try {
      answer = conditionalAnswer(exchange.request.headers, digest, entity(reader)) ?? contentAnswer(exchange, reader);
      return answer;
    } finally {
      if (answer?.body === undefined) await reader.close();
    }
  }

  async function head(exchange: Exchange): Promise<Answer> {
    const digest = requiredDigest(exchange.subject);
    const blob = await exchange.repository().blobs.stat(digest);
    if (!blob) throw unknownBlob(digest);
    const headers = entity(blob);
    const conditional = conditionalAnswer(exchange.request.headers, digest, headers);
    return conditional ?? { status: 200, headers: { ...headers, 'Content-Length': blob.size } };
  }

  async function remove(exchange: Exchange): Promise<Answer> {
    const digest = requiredDigest(exchange.subject);
    requireDeletion(deleteEnabled);
    if (!(await exchange.repository().blobs.unlink(digest))) throw unknownBlob(digest);
    return { status: 202, headers: {} };
  }

  function contentAnswer(exchange: Exchange, reader: BlobReader): Answer {
    const { size } = reader;
    const ranges = requestedRanges(exchange, reader);
    if (ranges === 'unsatisfiable') {
      throw new RegistryError('RANGE_INVALID', { headers: { 'Content-Range': `bytes */${size}` } });
    }
    if (ranges) return partialAnswer(reader, ranges);
    const headers = { ...entity(reader), 'Content-Length': size };
    return { status: 200, headers, body: body(reader, [{ start: 0, end: size - 1 }]) };
  }

  function partialAnswer(reader: BlobReader, ranges: ByteRange[]): Answer {
    const { headers, pieces } = byteRanges(ranges, reader.size);
    return { status: 206, headers: { ...entity(reader), ...headers }, body: body(reader, pieces) };
  }

  function body(reader: BlobReader, pieces: Piece[]) {
    const { content } = reader;
    if (!content) return blobBody(reader, pieces, downloads);
    const parts = pieces.map((piece) =>
      Buffer.isBuffer(piece) ? piece : content.subarray(piece.start, piece.end + 1),
    );
    const [first, ...others] = parts;
    return first && others.length === 0 ? first : Buffer.concat(parts);
  }

  return { GET: get, HEAD: head, DELETE: remove };
}

/** Content never changes, so that a cache may keep it for a year; If-Range with another tag means: send all. */
function requestedRanges({ request }: Exchange, reader: BlobReader): ReturnType<typeof parseRanges> {
  const { range, 'if-range': ifRange } = request.headers;
  if (range === undefined) return undefined;
  if (ifRange !== undefined && ifRange !== `"${reader.digest}"`) return undefined;
  return parseRanges(range, reader.size);
}

function entity({ digest }: { digest: Digest }): Answer['headers'] {
  return {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Cache-Control': 'max-age=31536000',
    'Accept-Ranges': 'bytes',
  };
}

function unknownBlob(digest: Digest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', { detail: { digest } });
}
