import type { IncomingMessage } from 'node:http';
import { DeadlineError } from '#shared/deadline.ts';
import { KubeError, type KubeStatus } from './kube-client.ts';
import { readText } from './body.ts';

/** True for a failure that the server answered with this HTTP status. */
export function isFailure(error: unknown, code: number): error is KubeError {
  return error instanceof KubeError && error.code === code;
}

/** The error that an answer of 400 and above means. The body is a Status, except from proxies in between. */
export async function failureOf(response: IncomingMessage, what: string): Promise<KubeError> {
  const text = await readText(response);
  const status = { ...parseStatus(text), code: response.statusCode ?? 0 };
  status.message ??= text.trim().slice(0, 200) || response.statusMessage || `HTTP ${status.code}`;
  const retryAfterMs = retryAfter(response.headers['retry-after'], status);
  return new KubeError(`${what}: ${status.message}`, {
    status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The error of a request that got no answer, or not a whole one. */
export function noAnswer(what: string, cause: unknown): KubeError {
  const late = cause instanceof DeadlineError;
  const message = cause instanceof Error ? cause.message || cause.name : String(cause);
  const status = { reason: late ? 'ClientTimeout' : 'ConnectionFailed', message };
  return new KubeError(`${what}: ${message}`, { status, cause });
}

/** The error that an ERROR event of a watch means. */
export function failureInStream(what: string, status: KubeStatus): KubeError {
  return new KubeError(`${what}: ${status.message ?? status.reason ?? 'the server gave no reason'}`, { status });
}

function parseStatus(text: string): KubeStatus {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status')
      return body as KubeStatus;
  } catch {
    // Not JSON: a proxy or the server's own plain text, which the caller shows as it is.
  }
  return {};
}

function retryAfter(header: string | undefined, status: KubeStatus): number | undefined {
  const seconds = Number(header ?? status.details?.retryAfterSeconds);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}
