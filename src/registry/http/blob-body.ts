/**
 * Sends a part of a blob: while one buffer is on its way to the client the next one is being read. A default file stream
 * takes two to four times the processor time for the same bytes, since it allocates every chunk.
 */
import type { ServerResponse } from 'node:http';
import type { ByteRange } from '#registry/oci/range.ts';
import type { BlobReader } from '#registry/storage/store.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { StreamedBody } from './exchange.ts';

export function blobBody(reader: BlobReader, range: ByteRange, pool: BufferPool): StreamedBody {
  return {
    discard: () => reader.close(),
    async send(response) {
      const buffers = [pool.acquire(), pool.acquire()] as const;
      try {
        await pump(reader, range, buffers, response);
      } finally {
        buffers.forEach((buffer) => pool.release(buffer));
        await reader.close();
      }
    },
  };
}

/** Storage gave less than the size that the header has announced: the client must not take what it got for the whole. */
class TruncatedBlobError extends Error {
  constructor(reader: BlobReader, position: number) {
    super(`${reader.digest} ended at byte ${position} of ${reader.size}`);
    this.name = 'TruncatedBlobError';
  }
}

async function pump(
  reader: BlobReader,
  { start, end }: ByteRange,
  buffers: readonly [Buffer, Buffer],
  response: ServerResponse,
): Promise<void> {
  let [current, next] = buffers;
  let position = start;
  let chunk = await fill(reader, current, position, end);
  while (position <= end) {
    const following = position + chunk.length;
    // Both settle before either buffer is touched again, also when one of them fails.
    const [read, written] = await Promise.allSettled([
      following <= end ? fill(reader, next, following, end) : Promise.resolve(next.subarray(0, 0)),
      write(response, chunk),
    ]);
    if (written.status === 'rejected') return;
    if (read.status === 'rejected') throw read.reason;
    [current, next] = [next, current];
    chunk = read.value;
    position = following;
  }
  response.end();
}

async function fill(reader: BlobReader, buffer: Buffer, position: number, end: number): Promise<Buffer> {
  const wanted = Math.min(buffer.length, end - position + 1);
  const read = await reader.read(buffer.subarray(0, wanted), position);
  if (read < wanted) throw new TruncatedBlobError(reader, position + read);
  return buffer.subarray(0, read);
}

/** Resolves when the operating system has taken the bytes, so that the buffer may be used again; rejects when the client is gone. */
function write(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the client closed the connection'));
    response.once('close', gone);
    response.write(chunk, (error) => {
      response.removeListener('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}
