import type { FileWriter } from '#registry/storage/driver.ts';
import type { ByteSource } from '#registry/storage/store.ts';

/** Chunks of a request are gathered into writes of this size: fewer system calls, and still in the processor's cache. */
const writeBytes = 512 * 1024;

/** While the disk is busy this much more is taken from the client, so that the two don't wait for each other's turns. */
const heldBytes = 2 * 1024 * 1024;

/** After this much the disk is told to begin, beside the receiving, so that the commit at the end has little left to do. */
const syncBytes = 32 * 1024 * 1024;

/** What a slow client sent is written after this time, so that a thousand of them don't hold half a gigabyte of memory. */
const flushAfterMs = 25;

/**
 * Writes `source` to the end of the file and shows each chunk to `see`, while the write before it runs. The chunks must
 * not be reused by their maker. When the source breaks off, what arrived is written before its error is thrown.
 * `lost` is called when a sync failed: no later one can be trusted for these bytes.
 */
export async function pump(
  source: ByteSource,
  writer: FileWriter,
  see: (chunk: Uint8Array) => void,
  lost: () => void = () => {},
): Promise<void> {
  const gathering = gather(writer, (chunks) => source.release?.(chunks), lost);
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
  /** Resolves when the running write is done. */
  flush(): Promise<void>;
  /** Resolves when all is written; rejects when that failed at some time. */
  finish(): Promise<void>;
}

function gather(writer: FileWriter, release: (chunks: Uint8Array[]) => void, lost: () => void): Gathering {
  const syncs = syncNowAndThen(writer, lost);
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
    writing = writeOut(chunks, bytes)
      .catch((error: unknown) => void (failure = { error }))
      .finally(() => {
        writing = undefined;
        if (bytes >= writeBytes) write();
      });
    chunks = [];
    bytes = 0;
  }

  async function writeOut(gathered: Uint8Array[], length: number): Promise<void> {
    await writer.write(gathered);
    release(gathered);
    syncs.written(length);
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
      await syncs.finish();
      throwFailure();
    },
  };
}

interface Syncs {
  written(bytes: number): void;
  /** Resolves when none runs; rejects when one failed. */
  finish(): Promise<void>;
}

function syncNowAndThen(writer: FileWriter, lost: () => void): Syncs {
  let unsynced = 0;
  let syncing: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;
  return {
    written(bytes) {
      unsynced += bytes;
      if (unsynced < syncBytes || syncing) return;
      unsynced = 0;
      syncing = writer
        .sync()
        .catch((error: unknown) => {
          failure = { error };
          lost();
        })
        .finally(() => (syncing = undefined));
    },
    async finish() {
      await syncing;
      if (failure) throw failure.error;
    },
  };
}
