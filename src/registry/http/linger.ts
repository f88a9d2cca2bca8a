import type { IncomingMessage } from 'node:http';

const maxBytes = 16 * 2 ** 20;
const maxMs = 5000;

/**
 * Throws away what the client still sends, for a while, so that it gets to read the answer: closing a connection with unread
 * bytes resets it, and most clients then report "broken pipe" instead of what we said. Resolves when the body is over, the
 * client gone, or the limit reached.
 */
export function linger(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const done = () => {
      clearTimeout(timer);
      request.off('data', count).off('end', done).off('close', done).off('error', done);
      resolve();
    };
    const count = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) done();
    };
    const timer = setTimeout(done, maxMs);
    if (request.readableEnded || request.destroyed) return done();
    request.on('data', count).once('end', done).once('close', done).once('error', done);
    return undefined;
  });
}
