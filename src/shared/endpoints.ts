import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { ListenAddress } from './settings.ts';

export interface Answer {
  status: number;
  body: string;
  /** text/plain by default. */
  type?: string;
}

/** By path, without the query. */
export type Endpoints = Record<string, () => Answer | Promise<Answer>>;

export interface EndpointServer {
  /** The one it got, when asked for 0. */
  port: number;
  close(): Promise<void>;
}

/** A small server for health and metrics: GET and HEAD of a few paths. Rejects when the address can't be had. */
export async function serveEndpoints(address: ListenAddress, endpoints: Endpoints): Promise<EndpointServer> {
  const server = createServer((request, response) => {
    const endpoint = endpoints[(request.url ?? '').replace(/\?.*/, '')];
    const send = ({ status, body, type = 'text/plain; charset=utf-8' }: Answer): void => {
      response.writeHead(status, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : body);
    };
    if (!endpoint) send({ status: 404, body: `there are ${Object.keys(endpoints).join(', ')}\n` });
    else if (request.method !== 'GET' && request.method !== 'HEAD') send({ status: 405, body: 'GET it\n' });
    else void answer(endpoint).then(send);
  });
  server.listen(address.port, address.host || undefined);
  await once(server, 'listening');
  return { port: (server.address() as { port: number }).port, close: () => close(server) };
}

async function answer(endpoint: Endpoints[string]): Promise<Answer> {
  try {
    return await endpoint();
  } catch (error) {
    return { status: 500, body: `${String(error)}\n` };
  }
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}
