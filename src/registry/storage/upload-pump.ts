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
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  let failed = false;

  function flush(): Promise<void> {
    const chunks = gathered;
    gathered = [];
    bytes = 0;
    writing = writing.then(() => writer.write(chunks));
    writing.catch(() => (failed = true));
    return writing;
  }

  const timer = setInterval(() => {
    if (bytes > 0) void flush().catch(() => {});
  }, flushAfterMs);
  try {
    for await (const chunk of source) {
      if (failed) break;
      see(chunk);
      gathered.push(chunk);
      bytes += chunk.byteLength;
      if (bytes < writeBytes) continue;
      await writing;
      flush().catch(() => {});
    }
  } finally {
    clearInterval(timer);
    await flush();
  }
}
