/**
 * Buffers for downloads, used again and again, the last one first: fresh ones cost page faults, and leave the processor's cache
 * before they are written. The first to ask get big ones; when those are all in use (many slow clients) the others get small
 * ones, so that memory stays bounded by the number of connections times the small size.
 */
export interface BufferPool {
  /** Buffers that have not been released. */
  readonly used: number;
  acquire(): Buffer;
  release(buffer: Buffer): void;
}

export interface BufferPoolOptions {
  bigBytes: number;
  /** How many big ones there are at most, made when they are first needed. */
  bigCount: number;
  smallBytes: number;
  /** How many small ones are kept for the next. */
  smallKept: number;
}

/** Fewer bytes are slower, since each read has its way to the thread pool and back; the thousandth slow client gets few. */
export const downloadBuffers: BufferPoolOptions = {
  bigBytes: 768 * 1024,
  bigCount: 32,
  smallBytes: 64 * 1024,
  smallKept: 16,
};

export function createBufferPool(options: BufferPoolOptions = downloadBuffers): BufferPool {
  const big: Buffer[] = [];
  const small: Buffer[] = [];
  let made = 0;
  let used = 0;

  function acquire(): Buffer {
    used++;
    return (
      big.pop() ?? (made < options.bigCount ? makeBig() : small.pop()) ?? Buffer.allocUnsafeSlow(options.smallBytes)
    );
  }

  function makeBig(): Buffer {
    made++;
    return Buffer.allocUnsafeSlow(options.bigBytes);
  }

  return {
    get used() {
      return used;
    },
    acquire,
    release(buffer) {
      used--;
      if (buffer.length === options.bigBytes) big.push(buffer);
      else if (small.length < options.smallKept) small.push(buffer);
    },
  };
}
