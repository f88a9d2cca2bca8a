/**
 * Byte ranges. Sources: RFC 9110 section 14 for downloads; distribution-spec "Pushing a blob in chunks" for uploads, whose
 * `Content-Range: <start>-<end>` has neither unit nor total.
 */
export interface ByteRange {
  start: number;
  /** Of the last byte: the range is inclusive. */
  end: number;
}

/** Ranges in one request; a client that asks for more is sent everything (RFC 9110 14.2). */
export const maxRanges = 32;

/**
 * The parts of `size` bytes that a Range header asks for, in its order, clipped to what is there; at least one. `undefined`
 * when the header is to be ignored and all is sent: other units, malformed ones, and ranges that overlap or are too many.
 */
export function parseRanges(header: string, size: number): ByteRange[] | 'unsatisfiable' | undefined {
  const list = /^bytes=([\d\-, \t]*)$/i.exec(header)?.[1];
  const specs = list?.split(',', maxRanges + 1).map((spec) => spec.trim());
  if (!specs || specs.length > maxRanges) return undefined;
  const ranges = specs.filter((spec) => spec !== '').map((spec) => parseSpec(spec, size));
  if (ranges.length === 0 || ranges.includes(undefined)) return undefined;
  const satisfiable = ranges.filter((range) => typeof range === 'object');
  if (satisfiable.length === 0) return 'unsatisfiable';
  return overlap(satisfiable) ? undefined : satisfiable;
}

function parseSpec(spec: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  if (!match) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? undefined : suffix(Number(last), size);
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  // RFC 9110 has `500-0` as malformed, to be ignored; Go's server and the conformance suite of the spec have it as 416.
  return start >= size || end < start ? 'unsatisfiable' : { start, end };
}

/** Nobody needs the same bytes twice in one answer, other than to make the server send more than there is. */
function overlap(ranges: ByteRange[]): boolean {
  const inOrder = ranges.toSorted((a, b) => a.start - b.start);
  return inOrder.some(({ start }, index) => start <= (inOrder[index - 1]?.end ?? -1));
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
