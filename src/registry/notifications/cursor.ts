import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Up to where a queue has been delivered. */
export interface Position {
  segment: number;
  /** Bytes from the beginning of the segment. */
  offset: number;
}

export interface Cursor {
  /** Writes in the background; positions that are overtaken before they are written are skipped. */
  save(position: Position): void;
  /** Resolves when the last position is on disk. */
  flush(): Promise<void>;
}

/** The beginning, where there is none or it can't be read: then events come twice, but none is lost. */
export async function readPosition(folder: string): Promise<Position> {
  try {
    const { segment, offset } = JSON.parse(await readFile(join(folder, 'cursor'), 'utf8')) as Partial<Position>;
    if (Number.isSafeInteger(segment) && Number.isSafeInteger(offset)) return { segment, offset } as Position;
  } catch {
    // As if there were none.
  }
  return { segment: 0, offset: 0 };
}

export function createCursor(folder: string, onError: (error: unknown) => void): Cursor {
  const path = join(folder, 'cursor');
  let wanted: Position | undefined;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    for (let position = wanted; position; position = wanted) {
      wanted = undefined;
      try {
        await writeFile(`${path}.tmp`, JSON.stringify(position), { mode: 0o600 });
        await rename(`${path}.tmp`, path);
      } catch (error) {
        onError(error);
      }
    }
    writing = undefined;
  }

  return {
    save(position) {
      wanted = position;
      writing ??= write();
    },
    async flush() {
      await writing;
    },
  };
}
