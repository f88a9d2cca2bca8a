import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';

export interface TlsOptions {
  ca?: string | Buffer;
  cert?: string | Buffer;
  key?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
}

/** kube-apiserver closes idle connections after 90 s; we first, so that a request never meets a closing one. */
const idleMs = 60_000;

/** As client-go: a peer that vanished is noticed by the kernel. */
const probeMs = 30_000;

/**
 * Keeps one pool of connections per TLS identity, and starts another when the CA or the client certificate changed; the
 * old one ends by itself, with its last request.
 */
export function createAgents(): (server: string, tls: TlsOptions) => HttpAgent {
  const options = { keepAlive: true, keepAliveMsecs: probeMs, timeout: idleMs };
  let pool: { server: string; tls: TlsOptions; agent: HttpAgent } | undefined;
  return (server, tls) => {
    if (pool?.server !== server || !sameIdentity(pool.tls, tls)) {
      const agent = server.startsWith('https:') ? new HttpsAgent({ ...options, ...tls }) : new HttpAgent(options);
      pool = { server, tls, agent };
    }
    return pool.agent;
  };
}

function sameIdentity(a: TlsOptions, b: TlsOptions): boolean {
  return (
    sameBytes(a.ca, b.ca) &&
    sameBytes(a.cert, b.cert) &&
    sameBytes(a.key, b.key) &&
    a.servername === b.servername &&
    a.rejectUnauthorized === b.rejectUnauthorized
  );
}

function sameBytes(a: string | Buffer | undefined, b: string | Buffer | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && Buffer.from(a).equals(Buffer.from(b));
}
