/** The body and the headers of a 206: one part as it is, several as multipart/byteranges (RFC 9110 14.6 and 15.3.7). */
import { randomUUID } from 'node:crypto';
import type { ByteRange } from '#registry/oci/range.ts';
import type { Piece } from './blob-body.ts';
import type { Answer } from './exchange.ts';

export interface PartialContent {
  headers: Answer['headers'];
  pieces: Piece[];
}

/** `ranges` of content of `size` bytes; at least one. */
export function byteRanges(ranges: ByteRange[], size: number): PartialContent {
  const [first, ...others] = ranges;
  if (!first || others.length > 0) return multipart(ranges, size);
  return {
    headers: { 'Content-Length': length([first]), 'Content-Range': contentRange(first, size) },
    pieces: [first],
  };
}

/** The boundary is as good as never in the content, and clients that know the lengths do not even look for it there. */
function multipart(ranges: ByteRange[], size: number): PartialContent {
  const boundary = randomUUID();
  const pieces = ranges.flatMap((range, index) => [head(range, size, index === 0 ? '' : '\r\n', boundary), range]);
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`));
  const headers = { 'Content-Type': `multipart/byteranges; boundary=${boundary}`, 'Content-Length': length(pieces) };
  return { headers, pieces };
}

function head(range: ByteRange, size: number, before: string, boundary: string): Piece {
  const fields = `Content-Type: application/octet-stream\r\nContent-Range: ${contentRange(range, size)}`;
  return Buffer.from(`${before}--${boundary}\r\n${fields}\r\n\r\n`);
}

function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end}/${size}`;
}

function length(pieces: Piece[]): number {
  return pieces.reduce((sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : piece.end - piece.start + 1), 0);
}
