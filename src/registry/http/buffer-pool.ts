/**
 * Buffers for downloads, used again and again: fresh ones cost page faults, and leave the processor's cache before they are
 * written. The first downloads get big ones; when those are all in use (many slow clients) the others get small ones, so that
 * memory stays bounded by the number of connections times twice the small size.
 */
export interface BufferPool {
  acquire(): Buffer;
  release(buffer: Buffer): void;
}

export interface BufferPoolOptions {
  bigBytes: number;
  /** How many big ones there are at most, made when they are first needed. */
  bigCount: number;
  smallBytes: number;
}

export const downloadBuffers: BufferPoolOptions = { bigBytes: 1024 * 1024, bigCount: 32, smallBytes: 32 * 1024 };

export function createBufferPool(options: BufferPoolOptions = downloadBuffers): BufferPool {
  const free: Buffer[] = [];
  let made = 0;
  return {
    acquire() {
      const used = free.pop();
      if (used) return used;
      if (made === options.bigCount) return Buffer.allocUnsafeSlow(options.smallBytes);
      made++;
      return Buffer.allocUnsafeSlow(options.bigBytes);
    },
    release(buffer) {
      if (buffer.length === options.bigBytes) free.push(buffer);
    },
  };
}
