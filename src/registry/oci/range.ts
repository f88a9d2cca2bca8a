/**
 * Byte ranges. Sources: RFC 9110 section 14 for downloads; distribution-spec "Pushing a blob in chunks" for uploads, whose
 * `Content-Range: <start>-<end>` has neither unit nor total.
 */
export interface ByteRange {
  start: number;
  /** Of the last byte: the range is inclusive. */
  end: number;
}

/**
 * The part of `size` bytes that a Range header asks for, clipped to what is there. `undefined` when the header is to be
 * ignored and all is sent: other units, malformed ones, and several ranges at once, which RFC 9110 14.2 allows to answer whole.
 */
export function parseRange(header: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header);
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? undefined : suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  // RFC 9110 has `500-0` as malformed, to be ignored; Go's server and the conformance suite of the spec have it as 416.
  return start >= size || end < start ? 'unsatisfiable' : { start, end };
}

function suffix(length: number, size: number): ByteRange | 'unsatisfiable' {
  return length === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - length), end: size - 1 };
}

/** The Content-Range of a chunk that is uploaded, with or without RFC 9110's `bytes ` and total; `undefined` if malformed. */
export function parseContentRange(header: string): ByteRange | undefined {
  const match = /^[ \t]*(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?[ \t]*$/i.exec(header);
  if (!match) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2])];
  return end < start ? undefined : { start, end };
}
