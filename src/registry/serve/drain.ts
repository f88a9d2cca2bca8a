import type { FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';

/** Closes the server; what runs has `ms` to end. */
export type Drain = (ms: number) => Promise<void>;

/** A client that has just connected is about to send its request. */
const firstRequestMs = 1000;

/**
 * To be called before the server listens. Connections on which nothing has been said are closed after a second: Go's clients
 * keep such ones in their pools, and Node takes them for busy, so that every stop would last as long as it may. Of those whose
 * TLS has not begun or come to its end Node's HTTP server knows nothing, so we close them as well.
 */
export function createDrain(app: FastifyInstance): Drain {
  const { server } = app;
  const open = new Set<Socket>();
  const watch = (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  // Over TLS a connection is seen twice: as what carries it, and once it can be talked on.
  for (const event of ['connection', 'secureConnection']) server.on(event, watch);
  const closeSilent = () => open.forEach((socket) => socket.bytesRead === 0 && socket.destroy());
  const closeAll = () => open.forEach((socket) => socket.destroy());
  return async (ms) => {
    const timers = [setTimeout(closeSilent, Math.min(firstRequestMs, ms)), setTimeout(closeAll, ms)];
    try {
      await app.close();
    } finally {
      timers.forEach(clearTimeout);
    }
  };
}
