import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The client's own X-Request-Id when it is fit for a log and a header, so that one id follows a request through proxies. */
export function requestId({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._~+/=:@-]{1,128}$/.test(given) ? given : randomUUID();
}
