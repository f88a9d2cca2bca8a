/** The debug port (`http.debug.addr`): probes, health, metrics, and how much the registry holds. Not for clients. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { EndpointVariables } from '#registry/notifications/notifications.ts';
import { feedUsage, usageLine, type UsageSource } from '#registry/http/usage-feed.ts';
import { withoutSchemas } from '#registry/http/without-schemas.ts';
import { addProfiles } from './profiles.ts';
import { debugVariables } from './variables.ts';

export interface DebugDeps extends UsageSource {
  /** Failing health checks with what is wrong. */
  healthFailures(): Record<string, string>;
  /** What stands in the way of serving; empty when ready. */
  notReady(): Promise<Record<string, string>>;
  /** Absent: metrics are off (`http.debug.prometheus`). */
  metrics?: { path: string; contentType: string; render(): Promise<string> };
  /** How the deliveries of notifications go. */
  endpointVariables?: () => EndpointVariables[];
}

export function buildDebugApp(deps: DebugDeps): FastifyInstance {
  const app = Fastify({ logger: false, forceCloseConnections: true, schemaController: withoutSchemas });
  const watchers = new Set<ServerResponse>();
  app.get('/livez', async () => 'ok\n');
  app.get('/readyz', async (_request, reply) => {
    const reasons = await deps.notReady();
    return reply.code(Object.keys(reasons).length === 0 ? 200 : 503).send(reasons);
  });
  app.get('/debug/health', async (_request, reply) => {
    const failures = deps.healthFailures();
    return reply.code(Object.keys(failures).length === 0 ? 200 : 503).send(failures);
  });
  const { metrics } = deps;
  if (metrics)
    app.get(metrics.path, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
  app.get<{ Querystring: { watch?: string } }>('/debug/usage', async ({ query }, reply) => {
    if (query.watch !== 'true') return reply.type('application/json').send(await usageLine(deps));
    reply.hijack();
    reply.raw.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
    watchers.add(reply.raw);
    await feedUsage(deps, reply.raw);
    watchers.delete(reply.raw);
    return reply;
  });
  app.get('/debug/vars', async () => debugVariables(deps.endpointVariables?.() ?? []));
  addProfiles(app);
  app.addHook('preClose', async () => watchers.forEach((response) => response.end()));
  return app;
}
