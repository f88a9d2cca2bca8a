/**
 * Buffers for downloads, used again and again, the last one first: fresh ones cost page faults, and leave the processor's cache
 * before they are written. The first downloads get big ones; when those are all in use (many slow clients) the others get small
 * ones, so that memory stays bounded by the number of connections times the small size.
 */
export interface BufferPool {
  acquire(): Buffer;
  /** One to read ahead into, for whoever holds the only buffer in use; `undefined` when others have theirs. */
  acquireSpare(): Buffer | undefined;
  release(buffer: Buffer): void;
}

export interface BufferPoolOptions {
  bigBytes: number;
  /** How many big ones there are at most, made when they are first needed. */
  bigCount: number;
  smallBytes: number;
}

/** Those of sixteen downloads fit into the cache that a processor's cores share; more bytes are slower there, fewer everywhere. */
export const downloadBuffers: BufferPoolOptions = { bigBytes: 768 * 1024, bigCount: 32, smallBytes: 64 * 1024 };

export function createBufferPool(options: BufferPoolOptions = downloadBuffers): BufferPool {
  const free: Buffer[] = [];
  let made = 0;
  let used = 0;

  function acquire(): Buffer {
    used++;
    const again = free.pop();
    if (again) return again;
    if (made === options.bigCount) return Buffer.allocUnsafeSlow(options.smallBytes);
    made++;
    return Buffer.allocUnsafeSlow(options.bigBytes);
  }

  return {
    acquire,
    acquireSpare: () => (used === 1 ? acquire() : undefined),
    release(buffer) {
      used--;
      if (buffer.length === options.bigBytes) free.push(buffer);
    },
  };
}
