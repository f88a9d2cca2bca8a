import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { RegistryError } from '#registry/oci/errors.ts';
import type { ByteSource } from '#registry/storage/store.ts';

/** Whether the client announced that bytes follow. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (announcedLength(headers) ?? 0) > 0;
}

/** Content-Length; `undefined` when there is none, as with chunked transfer. Node's parser has checked its form. */
export function announcedLength(headers: IncomingMessage['headers']): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

/** The whole body in memory; `tooLarge` is thrown as soon as it is known to be larger than `limit` bytes. */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  tooLarge: () => RegistryError,
): Promise<Buffer> {
  if ((announcedLength(request.headers) ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
}

/** The body as it arrives, for an upload that may be large. */
export function bodySource(request: IncomingMessage): ByteSource {
  const chunks = request as AsyncIterable<Buffer>;
  // What comes from a socket is a copy that Node made for us; an injected request brings its maker's own bytes.
  return { [Symbol.asyncIterator]: () => chunks[Symbol.asyncIterator](), givenAway: request.socket instanceof Socket };
}
