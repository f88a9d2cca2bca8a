/** The only writer of error bodies: everything that is thrown, by us or by Node's parser, becomes one of these. */
import { RegistryError } from '#registry/oci/errors.ts';
import type { Answer } from './exchange.ts';

/** Several errors in one answer: every blob that a manifest lacks. The first decides the status. */
export class RegistryErrors extends Error {
  readonly errors: [RegistryError, ...RegistryError[]];

  constructor(errors: [RegistryError, ...RegistryError[]]) {
    super(errors[0].message);
    this.name = 'RegistryErrors';
    this.errors = errors;
  }
}

/** Source: distribution-spec "Error codes". */
export function errorAnswer(thrown: unknown): Answer & { body: string } {
  const errors = asRegistryErrors(thrown);
  const body = errors.map(({ code, message, detail }) =>
    detail === undefined ? { code, message } : { code, message, detail },
  );
  return {
    status: errors[0].status,
    headers: { 'Content-Type': 'application/json', ...errors[0].headers },
    body: JSON.stringify({ errors: body }),
  };
}

/** Nobody's mistake but ours: what the client sees says nothing of it, so the log must. */
export function isUnexpected(thrown: unknown): boolean {
  const [first] = asRegistryErrors(thrown);
  return first.status >= 500;
}

function asRegistryErrors(thrown: unknown): [RegistryError, ...RegistryError[]] {
  if (thrown instanceof RegistryErrors) return thrown.errors;
  return [thrown instanceof RegistryError ? thrown : new RegistryError('UNKNOWN', { cause: thrown })];
}

const parserErrors: Record<string, [status: number, message: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'the header of the request is too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the chunk extensions of the request are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the header of the request did not arrive in time'],
};

/** A request that Node's parser gave up on has no response object: its answer is written by hand, and the connection ends. */
export function rawErrorResponse(error: Error & { code?: string }): string {
  const [status, message] = parserErrors[error.code ?? ''] ?? [400, 'the request is not HTTP'];
  const { body } = errorAnswer(new RegistryError('UNSUPPORTED', { status, message, cause: error }));
  const head = `HTTP/1.1 ${status} ${statusTexts[status] ?? 'Bad Request'}\r\nContent-Type: application/json`;
  return `${head}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

const statusTexts: Record<number, string> = {
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
};
