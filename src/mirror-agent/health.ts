import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ListenAddress } from '#shared/settings.ts';

/** The state of the program; each answers with what is wrong, or `undefined`. */
export interface Health {
  live: () => string | undefined;
  ready: () => string | undefined;
}

export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

/** GET /livez and /readyz: 200 `ok`, or 503 with the reason. Rejects when the address is taken. */
export async function serveHealth(address: ListenAddress, health: Health): Promise<HealthServer> {
  const checks: Record<string, () => string | undefined> = { '/livez': health.live, '/readyz': health.ready };
  const server = createServer((request, response) => {
    const check = checks[request.url ?? ''];
    const problem = check ? check() : 'there are /livez and /readyz';
    response.writeHead(problem === undefined ? 200 : check ? 503 : 404, { 'content-type': 'text/plain' });
    response.end(`${problem ?? 'ok'}\n`);
  });
  server.listen({ port: address.port, ...(address.host ? { host: address.host } : {}) });
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
