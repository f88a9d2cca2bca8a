import type { FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';

/** Closes the server; what runs has `ms` to end. */
export type Drain = (ms: number) => Promise<void>;

/** A client that has just connected is about to send its request. */
const firstRequestMs = 1000;

/**
 * To be called before the server listens. Connections on which nothing has been said are closed after a second: Go's clients
 * keep such ones in their pools, and Node takes them for busy, so that every stop would last as long as it may.
 */
export function createDrain(app: FastifyInstance): Drain {
  const { server } = app;
  const open = new Set<Socket>();
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  const closeSilent = () => open.forEach((socket) => socket.bytesRead === 0 && socket.destroy());
  return async (ms) => {
    const timers = [
      setTimeout(closeSilent, Math.min(firstRequestMs, ms)),
      setTimeout(() => server.closeAllConnections(), ms),
    ];
    try {
      await app.close();
    } finally {
      timers.forEach(clearTimeout);
    }
  };
}
