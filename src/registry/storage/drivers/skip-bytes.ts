/** What is left of `chunks` after their first `count` bytes: a system call may write a part. */
export function skipBytes(chunks: Uint8Array[], count: number): Uint8Array[] {
  let left = count;
  let index = 0;
  for (; index < chunks.length; index++) {
    const { byteLength: length } = chunks[index]!;
    if (length > left) break;
    left -= length;
  }
  const [first, ...others] = chunks.slice(index);
  return first ? [first.subarray(left), ...others] : [];
}
