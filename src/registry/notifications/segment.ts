/** One file of a queue: lines, appended only. Its name is its place in the order. */
import { open, readdir, readFile, rm, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

export interface Segment {
  readonly id: number;
  /** Bytes. */
  size: number;
  /** Lines in it that are not acknowledged. */
  pending: number;
}

const suffix = '.events';

export function segmentPath(folder: string, id: number): string {
  return join(folder, String(id).padStart(12, '0') + suffix);
}

/** `undefined` for any other file. */
export function segmentId(name: string): number | undefined {
  return /^\d{12}\.events$/.test(name) ? Number(name.slice(0, -suffix.length)) : undefined;
}

/** Reads a segment that an earlier process left. A line that a power failure cut short is cut off. */
export async function recoverSegment(folder: string, id: number, from: number): Promise<Segment> {
  const path = segmentPath(folder, id);
  const bytes = await readFile(path);
  const size = bytes.lastIndexOf(0x0a) + 1;
  if (size < bytes.length) await truncate(path, size);
  let pending = 0;
  for (let at = bytes.indexOf(0x0a, from); at >= 0; at = bytes.indexOf(0x0a, at + 1)) pending++;
  return { id, size, pending };
}

/** The lines of a segment between two offsets, which are ends of lines. */
export async function readLines(folder: string, id: number, from: number, to: number): Promise<string[]> {
  const handle = await open(segmentPath(folder, id), 'r');
  try {
    const buffer = Buffer.alloc(to - from);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return buffer.toString('utf8', 0, bytesRead).split('\n').slice(0, -1);
  } finally {
    await handle.close();
  }
}

/** Its name survives a loss of power, so that lines which are synced later do. */
export async function openForAppend(folder: string, id: number): Promise<FileHandle> {
  const handle = await open(segmentPath(folder, id), 'a', 0o600);
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
  return handle;
}

export function removeSegment(folder: string, id: number): Promise<void> {
  return rm(segmentPath(folder, id), { force: true });
}

/** Every one; what else is in the folder stays. */
export async function removeSegments(folder: string): Promise<void> {
  for (const id of (await readdir(folder)).flatMap((name) => segmentId(name) ?? [])) await removeSegment(folder, id);
}
