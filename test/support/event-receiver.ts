/** A real receiver of notifications, which can refuse, hang, and go away. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scope } from './scope.ts';

export interface ReceivedEvent {
  id: string;
  action: string;
  target: Record<string, unknown>;
  [field: string]: unknown;
}

export interface EventReceiver {
  readonly url: string;
  /** Accepted, in the order of their arrival. */
  readonly events: ReceivedEvent[];
  readonly requests: { headers: IncomingMessage['headers']; body: string; status: number | 'none' }[];
  /** The status of the answers from now on; `hang`: none comes. */
  answer: number | 'hang';
  stop(): Promise<void>;
  /** On the same port as before. */
  start(): Promise<void>;
}

/** Sections of a registry's configuration that let it tell the receiver, and soon once more what was refused, or not answered in time. */
export const notifying = ({ url }: EventReceiver, timeout = '500ms') => ({
  notifications: { endpoints: [{ name: 'receiver', url, timeout, threshold: 2, backoff: '100ms' }] },
});

export async function eventReceiver(scope: Scope): Promise<EventReceiver> {
  const receiver = { events: [], requests: [], answer: 200, url: '', start, stop } as EventReceiver & { url: string };
  let server: Server | undefined;
  let port = 0;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { answer } = receiver;
    receiver.requests.push({ headers: request.headers, body, status: answer === 'hang' ? 'none' : answer });
    if (answer === 'hang') return;
    if (answer < 400) receiver.events.push(...(JSON.parse(body) as { events: ReceivedEvent[] }).events);
    response.writeHead(answer).end();
  }

  async function start(): Promise<void> {
    server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
    receiver.url = `http://127.0.0.1:${port}/events`;
  }

  async function stop(): Promise<void> {
    const stopping = server;
    server = undefined;
    if (!stopping) return;
    stopping.closeAllConnections();
    await new Promise((resolve) => stopping.close(resolve));
  }

  await start();
  scope.after(stop);
  return receiver;
}
