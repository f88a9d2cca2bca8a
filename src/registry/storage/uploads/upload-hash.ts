import type { Digest, DigestAlgorithm } from '#registry/oci/digest.ts';
import type { FileWriter } from '#registry/storage/driver.ts';
import { createRunningHash } from '#registry/storage/running-hash.ts';
import { batchBytes, type Batch, type Target } from './upload-pump.ts';
import type { ThreadedUpload } from './writer-thread.ts';
import type { WriterThreads } from './writer-threads.ts';

/** The hash of an upload, which goes along with its writes: on this thread while it is small, then in another. */
export interface UploadHash {
  readonly algorithm: DigestAlgorithm;
  /** Whether it is the hash of all of a file of this size. */
  covers(size: number): boolean;
  /** Whether the writes are done by another thread: it keeps their order, and refuses all after one that failed. */
  readonly isElsewhere: boolean;
  /** Appends and hashes; one call at a time as long as it is not elsewhere. */
  write(writer: FileWriter, batch: Batch): Promise<void>;
  /** More may follow. */
  digest(): Promise<Digest>;
  /** Frees what is kept of it elsewhere. Writes that are still gathered then may come; they stay on this thread, or fail. */
  forget(): void;
}

/** What the other thread has to hash again, since hashes can't be handed over, must be little: others wait meanwhile. */
const hashedAgainBytes = 8 * 1024 * 1024;

export function createUploadHash(algorithm: DigestAlgorithm, threads: WriterThreads): UploadHash {
  const here = createRunningHash(algorithm);
  let there: ThreadedUpload | undefined;
  let bytes = 0;
  let failed = false;
  let forgotten = false;

  /** A whole batch says that the client is fast and has not sent something small. */
  function isWorthHandingOver(writer: FileWriter, batch: Batch): boolean {
    return !forgotten && writer.lend !== undefined && batch.bytes >= batchBytes && bytes <= hashedAgainBytes;
  }

  async function write(writer: FileWriter, batch: Batch): Promise<void> {
    if (!there && isWorthHandingOver(writer, batch)) there = threads.open({ algorithm, bytes });
    try {
      await (there ? writeThere(there, writer, batch) : writeHere(writer, batch));
      bytes += batch.bytes;
    } catch (error) {
      failed = true;
      throw error;
    }
  }

  /** It is hashed while it is written. */
  async function writeHere(writer: FileWriter, batch: Batch): Promise<void> {
    const written = writer.write(batch.chunks);
    for (const chunk of batch.chunks) here.update(chunk);
    await written;
    if (batch.givenAway) batch.chunks.forEach(free);
  }

  return {
    algorithm,
    covers: (size) => !failed && bytes === size,
    get isElsewhere() {
      return there !== undefined;
    },
    write,
    digest: async () => there?.digest() ?? here.digest(),
    forget() {
      forgotten = true;
      there?.forget();
    },
  };
}

/** The file, and the hash as long as there is one; without, the file will be hashed when it is committed. */
export function uploadTarget(writer: FileWriter, hash: UploadHash | undefined): Target {
  return {
    // So that a thread has its next batch when it is done with one.
    get writesAtOnce() {
      return hash?.isElsewhere ? 2 : 1;
    },
    async write(batch) {
      if (hash) return hash.write(writer, batch);
      await writer.write(batch.chunks);
      if (batch.givenAway) batch.chunks.forEach(free);
    },
    sync: () => writer.sync(),
  };
}

async function writeThere(thread: ThreadedUpload, writer: FileWriter, batch: Batch): Promise<void> {
  const buffers = batch.chunks.map((chunk) => ownBuffer(chunk, batch.givenAway));
  await writer.lend?.(batch.bytes, (descriptor) => thread.write(descriptor, buffers));
}

/**
 * Left to the garbage collector, a gigabyte in 64 KiB pieces makes it run dozens of times, since it counts them as pressure,
 * and that costs as much as hashing the gigabyte.
 */
function free(chunk: Uint8Array): void {
  if (isAlone(chunk)) chunk.buffer.transfer(0);
}

/** Memory that holds the chunk and nothing else, so that it can be taken away. */
function ownBuffer(chunk: Uint8Array, givenAway: boolean): ArrayBuffer {
  return givenAway && isAlone(chunk) ? chunk.buffer : new Uint8Array(chunk).buffer;
}

function isAlone(chunk: Uint8Array): chunk is Uint8Array<ArrayBuffer> {
  return chunk.buffer instanceof ArrayBuffer && chunk.buffer.byteLength === chunk.byteLength;
}
