import type { IncomingMessage } from 'node:http';
import { RegistryError } from '#registry/oci/errors.ts';
import { parseContentRange } from '#registry/oci/range.ts';
import type { Upload } from '#registry/storage/store.ts';
import { announcedLength } from '#registry/http/request-body.ts';

/**
 * A chunk with a Content-Range must go on where the upload ends, and have the length that it says: 416 with where to go on
 * from otherwise. Without one the body is a stream, taken as it comes. Source: distribution-spec "Pushing a blob in chunks".
 */
export function checkChunk({ headers }: IncomingMessage, upload: Upload, session: () => Record<string, string>): void {
  const header = headers['content-range'];
  if (header === undefined) return;
  const range = parseContentRange(header);
  if (!range) {
    throw new RegistryError('RANGE_INVALID', { message: 'Content-Range must be <start>-<end>', headers: session() });
  }
  if (range.start !== upload.size) {
    const message = `the upload goes on at byte ${upload.size}`;
    throw new RegistryError('RANGE_INVALID', { message, detail: { start: range.start }, headers: session() });
  }
  const length = announcedLength(headers);
  if (length !== undefined && length !== range.end - range.start + 1) {
    throw new RegistryError('SIZE_INVALID', { message: 'Content-Range and Content-Length differ', detail: { length } });
  }
}
