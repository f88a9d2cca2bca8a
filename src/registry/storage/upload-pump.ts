import type { FileWriter } from './driver.ts';

/** Chunks of a request are gathered into writes of this size: fewer system calls, and still in the processor's cache. */
const writeBytes = 512 * 1024;

/** What a slow client sent is written after this time, so that a thousand of them don't hold half a gigabyte of memory. */
const flushAfterMs = 25;

/**
 * Writes `source` to the end of the file and shows each chunk to `see`, while the write before it runs. The chunks must
 * not be reused by their maker. When the source breaks off, what arrived is written before its error is thrown.
 */
export async function pump(
  source: AsyncIterable<Uint8Array>,
  writer: FileWriter,
  see: (chunk: Uint8Array) => void,
): Promise<void> {
  const gathering = gather(writer);
  try {
    for await (const chunk of source) {
      see(chunk);
      if (gathering.add(chunk) >= writeBytes) await gathering.flush();
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

function gather(writer: FileWriter): Gathering {
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
      .catch((error: unknown) => void (failure = { error }))
      .finally(() => (writing = undefined));
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
      timer ??= setTimeout(writeIfIdle, flushAfterMs);
      return (bytes += chunk.byteLength);
    },
    async flush() {
      await writing;
      write();
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
