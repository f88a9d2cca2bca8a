import type { ByteSource } from '#registry/storage/store.ts';
import type { UploadMemory } from './upload-memory.ts';

/** Chunks that are written together. */
export interface Batch {
  chunks: Uint8Array[];
  bytes: number;
  /** Whether the chunks are ours: their memory may be freed, or handed to another thread. */
  givenAway: boolean;
}

/** Where the bytes go, in order. */
export interface Target {
  /** How many writes may be under way. Once one has failed the later ones must fail too. */
  readonly writesAtOnce: number;
  write(batch: Batch): Promise<void>;
  sync(): Promise<void>;
}

export interface PumpOptions {
  target: Target;
  memory: UploadMemory;
  /** Shown each chunk as it arrives; what it throws ends the pump. */
  see: (chunk: Uint8Array) => void;
  /** Called when a sync failed: no later one can be trusted for these bytes. */
  lost: () => void;
}

/** Chunks of a request are gathered into writes of this size, so that each is worth its way to another thread. */
export const batchBytes = 512 * 1024;

/**
 * After this much the disk is told to begin, beside the receiving, so that the commit at the end has little left to do. Throughput beside that
 * of distribution, one upload and four at once: 32 MiB 1.32, 1.02; 16 MiB 1.52, 1.02; 8 MiB 1.57, 1.00.
 */
const syncBytes = 16 * 1024 * 1024;

/** What a slow client sent is written after this time, so that a thousand of them don't hold half a gigabyte of memory. */
const flushAfterMs = 25;

/**
 * Writes `source` to the target, and receives what comes next meanwhile, as far as memory goes. The chunks must not be reused by
 * their maker. When the source breaks off, what arrived is written before its error is thrown.
 */
export async function pump(source: ByteSource, options: PumpOptions): Promise<void> {
  const gathering = gather(options, source.givenAway ?? false);
  try {
    for await (const chunk of source) {
      options.see(chunk);
      gathering.add(chunk);
      if (gathering.mustWait()) await gathering.room();
    }
  } finally {
    await gathering.finish();
  }
}

interface Gathering {
  /** Throws when an earlier write failed. */
  add(chunk: Uint8Array): void;
  mustWait(): boolean;
  /** Resolves when more may be added. */
  room(): Promise<void>;
  /** Resolves when all is written; rejects when that failed at some time. */
  finish(): Promise<void>;
}

function gather(options: PumpOptions, givenAway: boolean): Gathering {
  const { target, memory } = options;
  const syncs = syncNowAndThen(options);
  const mustWait = () => bytes >= batchBytes || memory.isFull;
  const writing = new Set<Promise<void>>();
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let failure: { error: unknown } | undefined;
  // While a write runs the next one goes on gathering, so that a slow disk gets fewer and larger ones.
  const slow = repeatedly(() => writing.size === 0 && write());

  /** Nothing more after a write that failed: it would come to lie at the wrong place. */
  function write(): true {
    slow.stop();
    if (failure || bytes === 0) return true;
    const written = writeOut({ chunks, bytes, givenAway }).finally(() => {
      writing.delete(written);
      writeIfDue();
    });
    writing.add(written);
    chunks = [];
    bytes = 0;
    return true;
  }

  async function writeOut(batch: Batch): Promise<void> {
    try {
      await target.write(batch);
      syncs.written(batch.bytes);
    } catch (error) {
      failure ??= { error };
    } finally {
      memory.give(batch.bytes);
    }
  }

  function writeIfDue(): void {
    if (mustWait() && writing.size < target.writesAtOnce) write();
  }

  return {
    add(chunk) {
      memory.take(chunk.byteLength);
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (failure) throw failure.error;
      writeIfDue();
      if (bytes > 0) slow.start();
    },
    mustWait,
    async room() {
      if (bytes >= batchBytes) await Promise.race(writing);
      await memory.room();
    },
    async finish() {
      slow.stop();
      while (writing.size >= target.writesAtOnce) await Promise.race(writing);
      write();
      await Promise.all(writing);
      // Of what came after a write that failed nothing is kept.
      memory.give(bytes);
      await syncs.finish();
      if (failure) throw failure.error;
    },
  };
}

/** Calls `attempt` in a while, and again until it succeeds. */
function repeatedly(attempt: () => boolean): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    timer = setTimeout(() => {
      timer = undefined;
      if (!attempt()) wait();
    }, flushAfterMs);
  };
  return {
    start: () => timer ?? wait(),
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

interface Syncs {
  written(bytes: number): void;
  /** Resolves when none runs; rejects when one failed. */
  finish(): Promise<void>;
}

function syncNowAndThen({ target, lost }: PumpOptions): Syncs {
  let unsynced = 0;
  let syncing: Promise<void> | undefined;
  let failure: { error: unknown } | undefined;
  return {
    written(bytes) {
      unsynced += bytes;
      if (unsynced < syncBytes || syncing) return;
      unsynced = 0;
      syncing = target
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
