import type { FileWriter } from './driver.ts';
import type { ByteSource } from './store.ts';

/** Chunks of a request are gathered into writes of this size: fewer system calls, and still in the processor's cache. */
const writeBytes = 512 * 1024;

/** While the disk is busy this much more is taken from the client, so that the two don't wait for each other's turns. */
const heldBytes = 2 * 1024 * 1024;

/** What a slow client sent is written after this time, so that a thousand of them don't hold half a gigabyte of memory. */
const flushAfterMs = 25;

/**
 * Writes `source` to the end of the file and shows each chunk to `see`, while the write before it runs. The chunks must
 * not be reused by their maker. When the source breaks off, what arrived is written before its error is thrown.
 */
export async function pump(source: ByteSource, writer: FileWriter, see: (chunk: Uint8Array) => void): Promise<void> {
  const gathering = gather(writer, (chunks) => source.release?.(chunks));
  try {
    for await (const chunk of source) {
      see(chunk);
      if (gathering.add(chunk) >= heldBytes) await gathering.flush();
    }
  } finally {
    await gathering.finish();
  }
}

interface Gathering {
  /** The bytes that are waiting to be written; throws when an earlier write failed. */
  add(chunk: Uint8Array): number;
  /** Resolves when the write before this one is done, so that at most two are in memory. */
  flush(): Promise<void>;
  /** Resolves when all is written; rejects when that failed at some time. */
  finish(): Promise<void>;
}

function gather(writer: FileWriter, release: (chunks: Uint8Array[]) => void): Gathering {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let failure: { error: unknown } | undefined;

  /** Nothing more after a write that failed: it would come to lie at the wrong place. */
  function write(): void {
    if (failure) return;
    clearTimeout(timer);
    timer = undefined;
    const gathered = chunks;
    chunks = [];
    bytes = 0;
    writing = writer
      .write(gathered)
      .then(() => release(gathered))
      .catch((error: unknown) => void (failure = { error }))
      .finally(() => {
        writing = undefined;
        if (bytes >= writeBytes) write();
      });
  }

  /** While a write runs the next one goes on gathering: a disk that stalls must not fill the memory. */
  function writeIfIdle(): void {
    if (writing) timer = setTimeout(writeIfIdle, flushAfterMs);
    else write();
  }

  function throwFailure(): void {
    if (failure) throw failure.error;
  }

  return {
    add(chunk) {
      throwFailure();
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes >= writeBytes && !writing) write();
      else timer ??= setTimeout(writeIfIdle, flushAfterMs);
      return bytes;
    },
    async flush() {
      await writing;
    },
    async finish() {
      await writing;
      if (bytes > 0) write();
      await writing;
      clearTimeout(timer);
      throwFailure();
    },
  };
}
