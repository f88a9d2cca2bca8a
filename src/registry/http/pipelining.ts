import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** `false`: the connection was ended, there is nothing to answer. */
export type AdmitPipelined = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Ends connections on which more than `most` requests wait for the answers before theirs. Node takes in all that one read of
 * 64 KiB holds, a thousand of the shortest, whether or not the client reads answers: 6 MiB for each connection. Clients of
 * registries send one after the other.
 */
export function createPipelineLimit(most: number): AdmitPipelined {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    // Node gives a response its connection when those before it are through.
    if (response.socket !== null) return true;
    const { socket } = request;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > most) {
      socket.destroy();
      return false;
    }
    waiting.set(socket, count);
    response.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
    return true;
  };
}
