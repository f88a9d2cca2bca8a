/** Where a server listens: `http.net` and `http.addr`. */
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { lstat, unlink } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { listenAddress } from '#shared/settings.ts';

export interface ListenOn {
  net: 'tcp' | 'unix';
  /** `host:port`, `:port`, or the path of a socket. */
  addr: string;
}

/** The address for people. Rejects when it can't be had. */
export async function listen(app: FastifyInstance, on: ListenOn): Promise<string> {
  try {
    return await bind(app, on);
  } catch (error) {
    throw new Error(`can't listen on ${on.addr}: ${(error as Error).message}`, { cause: error });
  }
}

async function bind(app: FastifyInstance, { net, addr }: ListenOn): Promise<string> {
  if (net === 'unix') {
    await removeStaleSocket(addr);
    await app.listen({ path: addr });
    return `unix:${addr}`;
  }
  const { host, port } = listenAddress(addr);
  return app.listen({ port, host: host === '' ? everyAddress() : host });
}

/** IPv6 and IPv4 alike, or IPv4 alone where there is no IPv6, as with containers. */
function everyAddress(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some((address) => address?.family === 'IPv6') ? '::' : '0.0.0.0';
}

/** A socket that nobody listens on is what a killed registry leaves behind. */
async function removeStaleSocket(path: string): Promise<void> {
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(undefined);
    }).once('error', resolve);
  });
  // A connection to a file that is no socket is refused as well.
  if (error?.code === 'ECONNREFUSED' && (await lstat(path)).isSocket()) await unlink(path);
}
