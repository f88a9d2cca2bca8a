/** Requests, as distribution counts them. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ExchangeObserver } from '#registry/http/exchange.ts';
import type { Endpoint } from '#registry/http/path.ts';
import { bytesBuckets, createHistogram, secondsBuckets } from './histogram.ts';

/** Distribution's names of its handlers. */
const handlers: Record<Endpoint, string> = {
  base: 'base',
  catalog: 'catalog',
  tags: 'tags',
  manifest: 'manifest',
  blob: 'blob',
  uploads: 'blob_upload',
  upload: 'blob_upload_chunk',
  referrers: 'referrers',
};

/** Counted in plain numbers, since this runs for each request, and told when they are asked for. */
export function exchangeMetrics(register: Registry): ExchangeObserver {
  const { started, ended } = runningRequests(register);
  const countRequest = requestCounter(register);
  const observeDuration = createHistogram({
    name: 'registry_http_request_duration_seconds',
    help: 'The HTTP request latencies in seconds.',
    labelNames: ['handler', 'method'],
    buckets: secondsBuckets,
    register,
  });
  const size = (name: string, help: string) =>
    createHistogram({ name, help, labelNames: ['handler'], buckets: bytesBuckets, register });
  const observeRequestSize = size('registry_http_request_size_bytes', 'The HTTP request sizes in bytes.');
  const observeResponseSize = size('registry_http_response_size_bytes', 'The HTTP response sizes in bytes.');
  return {
    started: (endpoint) => started(handlers[endpoint]),
    finished({ endpoint, method, status, durationMs, requestBytes, responseBytes }) {
      if (!endpoint) return;
      const handler = handlers[endpoint];
      const lower = methodLabel(method);
      ended(handler);
      countRequest(handler, lower, status);
      observeDuration(durationMs / 1000, handler, lower);
      observeRequestSize(requestBytes, handler);
      observeResponseSize(responseBytes, handler);
    },
  };
}

function runningRequests(register: Registry): Record<'started' | 'ended', (handler: string) => void> {
  const running = new Map<string, number>();
  const add = (handler: string, change: 1 | -1) => running.set(handler, (running.get(handler) ?? 0) + change);
  register.registerMetric(
    new Gauge({
      name: 'registry_http_in_flight_requests',
      help: 'The in-flight HTTP requests',
      labelNames: ['handler'],
      registers: [],
      collect() {
        for (const [handler, count] of running) this.set({ handler }, count);
      },
    }),
  );
  return { started: (handler) => add(handler, 1), ended: (handler) => add(handler, -1) };
}

function requestCounter(register: Registry): (handler: string, method: string, code: number) => void {
  const counts = new Map<string, { labels: { handler: string; method: string; code: number }; count: number }>();
  register.registerMetric(
    new Counter({
      name: 'registry_http_requests_total',
      help: 'Total number of HTTP requests made.',
      labelNames: ['handler', 'method', 'code'],
      registers: [],
      collect() {
        this.reset();
        for (const { labels, count } of counts.values()) this.inc(labels, count);
      },
    }),
  );
  return (handler, method, code) => {
    const key = `${handler} ${method} ${code}`;
    const known = counts.get(key);
    if (known) known.count++;
    else counts.set(key, { labels: { handler, method, code }, count: 1 });
  };
}

const methods: Record<string, string> = {
  GET: 'get',
  HEAD: 'head',
  POST: 'post',
  PUT: 'put',
  PATCH: 'patch',
  DELETE: 'delete',
  OPTIONS: 'options',
};

/** Clients choose the method: a label for each they think of would be a way to fill our memory. */
function methodLabel(method: string): string {
  return methods[method] ?? 'unknown';
}
