import { Agent, request } from 'undici';

/** Why an address is no registry for this node; `undefined` when it is one. */
export type Probe = (endpoint: string) => Promise<string | undefined>;

export interface ProbeOptions {
  timeoutMs: number;
}

/**
 * Asks `<endpoint>/v2/` as containerd on this node would: from the host's network, on a new connection each time. An
 * answer of 200 or 401 (it wants credentials) is a registry's.
 */
export function createProbe(options: ProbeOptions): Probe {
  const { timeoutMs } = options;
  const dispatcher = new Agent({ pipelining: 0, connect: { timeout: timeoutMs }, connections: null });
  return async (endpoint) => {
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const { statusCode, body } = await request(`${endpoint}/v2/`, { dispatcher, signal, headersTimeout: timeoutMs });
      await body.dump({ limit: 64 * 1024 });
      return statusCode === 200 || statusCode === 401 ? undefined : `answered ${statusCode} to GET /v2/`;
    } catch (error) {
      return causeOf(error, timeoutMs);
    }
  };
}

const causes: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no answer from the name server',
  UND_ERR_SOCKET: 'connection closed',
};

function causeOf(error: unknown, timeoutMs: number): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || code?.endsWith('_TIMEOUT')) return `no answer within ${timeoutMs} ms`;
  return causes[code ?? ''] ?? (message || (code ?? 'unknown error'));
}
