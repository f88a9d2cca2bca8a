import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';

/** Why an address is no registry for this node; `undefined` when it is one. */
export type Probe = (endpoint: string) => Promise<string | undefined>;

export interface ProbeOptions {
  timeoutMs: number;
}

/**
 * Asks `<endpoint>/v2/` as containerd on this node would: from the host's network, on a new connection each time. An
 * answer of 200 or 401 (it wants credentials) is a registry's. On node:http, since an agent runs on every node: undici
 * would cost each of them 20 MiB.
 */
export function createProbe({ timeoutMs }: ProbeOptions): Probe {
  return async (endpoint) => {
    try {
      const status = await statusOf(`${endpoint}/v2/`, AbortSignal.timeout(timeoutMs));
      return status === 200 || status === 401 ? undefined : `answered ${status} to GET /v2/`;
    } catch (error) {
      return causeOf(error as NodeJS.ErrnoException, timeoutMs);
    }
  };
}

function statusOf(address: string, signal: AbortSignal): Promise<number> {
  const url = new URL(address);
  const get = url.protocol === 'https:' ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      // Read to its end, or until time is up: cutting it off would look like a failure to the registry.
      response.on('error', () => {}).resume();
      resolve(response.statusCode ?? 0);
    };
    get(url, { agent: false, signal }, answered).on('error', reject);
  });
}

const causes: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'no answer from the name server',
};

function causeOf({ code = '', message }: NodeJS.ErrnoException, timeoutMs: number): string {
  if (code === 'ABORT_ERR' || code === 'ETIMEDOUT') return `no answer within ${timeoutMs} ms`;
  return causes[code] ?? (message || code || 'unknown error');
}
