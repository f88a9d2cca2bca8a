/**
 * Sends a part of a blob: read into a buffer, written to the client, and so on with whatever buffer is the warmest. A default file
 * stream takes two to four times the processor time for the same bytes, since it allocates every chunk. A download that has the
 * server to itself reads ahead while it writes, which is faster; several keep the processors busy anyway, and with one buffer
 * each what is read is still in the cache when it is written.
 */
import type { ServerResponse } from 'node:http';
import type { ByteRange } from '#registry/oci/range.ts';
import type { BlobReader } from '#registry/storage/store.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { StreamedBody } from './exchange.ts';
import type { ReadTurns } from './read-turns.ts';

/** Of a body: bytes as they are, or a part of the blob. */
export type Piece = Buffer | ByteRange;

/** What all downloads share. */
export interface DownloadDeps {
  pool: BufferPool;
  turns: ReadTurns;
}

export function blobBody(reader: BlobReader, pieces: Piece[], deps: DownloadDeps): StreamedBody {
  return {
    discard: () => reader.close(),
    async send(response, begin) {
      const write = writeAfter(response, begin);
      try {
        for (const piece of pieces) {
          if (Buffer.isBuffer(piece)) await write(piece);
          else await pump(reader, piece, deps, write);
        }
        response.end();
      } catch (error) {
        if (!(error instanceof ClientLeftError)) throw error;
      } finally {
        await reader.close();
      }
    },
  };
}

/** Nothing to report: the log says of every request whether its client stayed. */
class ClientLeftError extends Error {}

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
  { pool, turns }: DownloadDeps,
  write: Write,
): Promise<void> {
  const read = (from: number) => turns.take(() => fill(reader, pool, from, end));
  const send = (chunk: Buffer, buffer: Buffer) => write(chunk).finally(() => pool.release(buffer));
  let { chunk, buffer } = await read(start);
  let position = start + chunk.length;
  while (position <= end) {
    const sent = send(chunk, buffer);
    const next = pool.used > 1 ? sent.then(() => read(position)) : whileSending(sent, read(position), pool);
    ({ chunk, buffer } = await next);
    position += chunk.length;
  }
  await send(chunk, buffer);
}

interface Filled {
  chunk: Buffer;
  /** That the chunk lies in. */
  buffer: Buffer;
}

/** What was read; when one of the two fails, nothing is left under way, nor any buffer kept. */
async function whileSending(sent: Promise<void>, reading: Promise<Filled>, pool: BufferPool): Promise<Filled> {
  const [sending, read] = await Promise.allSettled([sent, reading]);
  if (sending.status === 'rejected' && read.status === 'fulfilled') pool.release(read.value.buffer);
  if (sending.status === 'rejected') throw sending.reason;
  if (read.status === 'rejected') throw read.reason;
  return read.value;
}

async function fill(reader: BlobReader, pool: BufferPool, position: number, end: number): Promise<Filled> {
  const buffer = pool.acquire();
  try {
    const wanted = Math.min(buffer.length, end - position + 1);
    const read = await reader.read(buffer.subarray(0, wanted), position);
    if (read < wanted) throw new TruncatedBlobError(reader, position + read);
    return { chunk: buffer.subarray(0, read), buffer };
  } catch (error) {
    pool.release(buffer);
    throw error;
  }
}

type Write = (chunk: Buffer) => Promise<void>;

function writeAfter(response: ServerResponse, begin: () => void): Write {
  let begun = false;
  return (chunk) => {
    if (!begun) begin();
    begun = true;
    return writeChunk(response, chunk);
  };
}

/** Resolves when the operating system has taken the bytes, so that the buffer may be used again; rejects when the client is gone. */
function writeChunk(response: ServerResponse, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new ClientLeftError('the client closed the connection'));
    response.once('close', gone);
    response.write(chunk, (error) => {
      response.removeListener('close', gone);
      if (error) reject(new ClientLeftError(error.message, { cause: error }));
      else resolve();
    });
  });
}
