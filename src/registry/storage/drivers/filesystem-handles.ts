import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { FileReader, FileWriter } from '#registry/storage/driver.ts';
import { absent, fileInfo } from './file-info.ts';
import { skipBytes } from './skip-bytes.ts';

/** To open a pipe would otherwise wait for its writer, in a thread of the pool, and for ever. */
const readWithoutWaiting = constants.O_RDONLY | constants.O_NONBLOCK;

/** `undefined` when the file is missing, or is a directory. */
export async function openReader(file: string): Promise<FileReader | undefined> {
  const handle = await absent(open(file, readWithoutWaiting));
  if (!handle) return undefined;
  try {
    const info = fileInfo(await handle.stat());
    if (!info.isDirectory) {
      return { info, read: (into, position) => readFully(handle, into, position), close: () => handle.close() };
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

async function readFully(handle: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.byteLength) {
    const { bytesRead } = await handle.read(into, filled, into.byteLength - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** `explained` turns the errors of the volume into ones that people understand. */
export async function openWriter(file: string, explained: <T>(action: Promise<T>) => Promise<T>): Promise<FileWriter> {
  const handle = await open(file, 'a+');
  try {
    let { size } = await handle.stat();
    const counted = async (bytes: number, written: Promise<void>): Promise<void> => {
      try {
        await explained(written);
        size += bytes;
      } catch (error) {
        // A full volume takes a part and does not say how much.
        ({ size } = await handle.stat());
        throw error;
      }
    };
    return {
      get size() {
        return size;
      },
      write: (chunks) => counted(byteLength(chunks), writeFully(handle, chunks)),
      lend: (bytes, by) => counted(bytes, by(handle.fd)),
      sync: () => explained(handle.sync()),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function writeFully(handle: FileHandle, chunks: Uint8Array[]): Promise<void> {
  let rest = chunks;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest);
    rest = skipBytes(rest, bytesWritten);
  }
}

function byteLength(chunks: Uint8Array[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
}
