/** The only writer of responses: straight to Node, since Fastify would add a charset to the types of manifests. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ExchangeWatch } from './exchange-watch.ts';
import type { Answer, StreamedBody } from './exchange.ts';
import { linger } from './linger.ts';
import { hasBody } from './request-body.ts';

export interface RespondDeps {
  /** `http.headers`: of every answer. */
  headers: Record<string, string[]>;
  /** Once the server stops, so that clients open no new requests on old connections. */
  isClosing: () => boolean;
}

export interface Outgoing {
  id: string;
  request: IncomingMessage;
  response: ServerResponse;
  watch: ExchangeWatch;
}

export type Respond = (answer: Answer, outgoing: Outgoing) => Promise<void>;

export function createRespond(deps: RespondDeps): Respond {
  return async ({ status, headers, body }, { id, request, response, watch }) => {
    const streamed = typeof body === 'object' && 'send' in body ? body : undefined;
    if (response.destroyed) return streamed?.discard();
    const content = streamed ? undefined : (body as Buffer | string | undefined);
    const all: OutgoingHttpHeaders = {
      'Docker-Distribution-Api-Version': 'registry/2.0',
      'X-Request-Id': id,
      ...deps.headers,
      ...headers,
    };
    if (all['Content-Length'] === undefined && status !== 204 && status !== 304) {
      all['Content-Length'] = content === undefined ? 0 : Buffer.byteLength(content);
    }
    const unread = !request.complete && !request.readableEnded && hasBody(request);
    if (unread || deps.isClosing()) all['Connection'] = 'close';
    const bodiless = request.method === 'HEAD';
    const begin = () => {
      if (!bodiless) watch.answered(Number(all['Content-Length'] ?? 0));
      response.writeHead(status, all);
    };
    if (streamed && !bodiless) return streamed.send(response, begin);
    begin();
    if (streamed) return discard(streamed, response);
    if (unread) return endLate(request, response, content);
    end(response, bodiless ? undefined : content);
    return undefined;
  };
}

/** Bytes up to which libuv writes a string from its stack, less the header. */
const onePiece = 14 * 1024;

/**
 * Node joins a body that is a string with the header, and one system call takes both; a buffer makes it a list of two pieces
 * and an object that waits for them to be written. As latin1 a byte is a character, whatever it means.
 */
function end(response: ServerResponse, content: Buffer | string | undefined): void {
  if (!Buffer.isBuffer(content) || content.length > onePiece) response.end(content);
  else response.end(content.toString('latin1'), 'latin1');
}

/** The answer goes out at once; the connection is closed when the client has had time to stop sending and read it. */
async function endLate(request: IncomingMessage, response: ServerResponse, content: Answer['body']): Promise<void> {
  if (content !== undefined) response.write(content);
  await linger(request);
  response.end();
}

async function discard(body: StreamedBody, response: ServerResponse): Promise<void> {
  response.end();
  await body.discard();
}
