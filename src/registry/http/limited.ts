/**
 * The same endpoints, for so many requests at a time (`extensions.limits`): reads and writes each have their own places, so
 * that a rush of pulls leaves pushes alone. Source of the model: OpenShift's image registry, `requests.{read,write}`.
 */
import { RegistryError } from '#registry/oci/errors.ts';
import { systemClock } from '#shared/clock.ts';
import type { Answer, Exchange, Handler, Methods, StreamedBody } from './exchange.ts';
import { createGate, type Gate, type GateOptions } from './gate.ts';
import type { Endpoint } from './path.ts';

/** `maxRunning` 0: no limit. */
export interface RequestLimits {
  read: GateOptions;
  write: GateOptions;
}

/** `/v2/` itself is free: clients ask it first, and it costs nothing. */
export function limited(endpoints: Record<Endpoint, Methods>, limits: RequestLimits): Record<Endpoint, Methods> {
  const gates = { read: gateOf(limits.read), write: gateOf(limits.write) };
  const all = Object.entries(endpoints).map(([endpoint, methods]) => [
    endpoint,
    endpoint === 'base' ? methods : through(methods, gates),
  ]);
  return Object.fromEntries(all) as Record<Endpoint, Methods>;
}

interface Gates {
  read: PlacedGate | undefined;
  write: PlacedGate | undefined;
}

interface PlacedGate extends Gate {
  /** Seconds after which a client may try again. */
  retryAfter: number;
}

function gateOf(options: GateOptions): PlacedGate | undefined {
  if (options.maxRunning === 0) return undefined;
  return { ...createGate(options, systemClock), retryAfter: Math.max(1, Math.ceil(options.maxWaitInQueue / 1000)) };
}

function through(methods: Methods, gates: Gates): Methods {
  const entries = Object.entries(methods).map(([method, handler]) => {
    const gate = method === 'GET' || method === 'HEAD' ? gates.read : gates.write;
    return [method, gate ? admitted(handler, gate) : handler];
  });
  return Object.fromEntries(entries) as Methods;
}

/** The place is kept until the answer is there, and where that is streamed, until it has been sent. */
function admitted(handler: Handler, gate: PlacedGate): Handler {
  return async (exchange) => {
    const leave = await enter(exchange, gate);
    let answer: Answer | undefined;
    try {
      answer = await handler(exchange);
    } finally {
      if (!isStreamed(answer?.body)) leave();
    }
    return isStreamed(answer.body) ? { ...answer, body: leaving(answer.body, leave) } : answer;
  };
}

async function enter({ request }: Exchange, gate: PlacedGate): Promise<() => void> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  request.socket.once('close', onClose);
  const leave = await gate.enter(gone.signal);
  request.socket.removeListener('close', onClose);
  if (leave) return leave;
  throw new RegistryError('TOOMANYREQUESTS', {
    message: 'as many requests as are allowed are running already',
    headers: { 'Retry-After': `${gate.retryAfter}` },
  });
}

function isStreamed(body: Answer['body']): body is StreamedBody {
  return typeof body === 'object' && 'send' in body;
}

function leaving(body: StreamedBody, leave: () => void): StreamedBody {
  return {
    send: (response, begin) => body.send(response, begin).finally(leave),
    discard: () => body.discard().finally(leave),
  };
}
