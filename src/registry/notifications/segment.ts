/** One file of a queue: lines, appended only. Its name is its place in the order. */
import { open, readFile, rm, truncate, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from './durable-folder.ts';

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

/** The lines of a segment between two offsets, which are ends of lines; none when the file is gone. */
export async function readLines(folder: string, id: number, from: number, to: number): Promise<string[]> {
  const handle = await open(segmentPath(folder, id), 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return [];
  try {
    const buffer = Buffer.alloc(to - from);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return buffer.toString('utf8', 0, bytesRead).split('\n').slice(0, -1);
  } finally {
    await handle.close();
  }
}

/**
 * A new one, whose name survives a loss of power, so that lines which are synced later do. `undefined` when there is one: made by a
 * process that does not know yet that it has lost the folder.
 */
export async function createSegment(folder: string, id: number): Promise<FileHandle | undefined> {
  const handle = await open(segmentPath(folder, id), 'ax', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    await syncFolder(folder);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export function removeSegment(folder: string, id: number): Promise<void> {
  return rm(segmentPath(folder, id), { force: true });
}
