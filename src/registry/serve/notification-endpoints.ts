/** The configured `notifications`; their code is loaded only where there are some. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Configuration } from '#registry/config/schema.ts';
import type { Metrics } from '#registry/metrics.ts';
import type { Notifications } from '#registry/notifications/notifications.ts';
import type { Logger } from '#shared/logger.ts';

/** `undefined` when nobody wants to be told. Rejects when a queue can't be opened. */
export async function openConfiguredNotifications(
  { notifications, storage, http, extensions }: Configuration,
  metrics: Metrics | undefined,
  logger: Logger,
): Promise<Notifications | undefined> {
  const endpoints = notifications.endpoints.filter(({ disabled }) => !disabled);
  if (endpoints.length === 0) return undefined;
  const { openNotifications } = await import('#registry/notifications/notifications.ts');
  const port = /:(\d+)$/.exec(http.addr)?.[1];
  return openNotifications({
    endpoints: endpoints.map(({ timeout, threshold, backoff, ignoredmediatypes, ignore, ...endpoint }) => ({
      ...endpoint,
      // Zero is what an absent key is to distribution.
      timeoutMs: timeout || 1000,
      threshold: threshold || 10,
      backoffMs: backoff || 1000,
      ignoredMediaTypes: [...ignoredmediatypes, ...ignore.mediatypes],
      ignoredActions: ignore.actions,
    })),
    maxBytes: extensions.notifications.maxbytes,
    address: port === undefined ? hostname() : `${hostname()}:${port}`,
    logger,
    ...(metrics ? { observe: metrics.notifications } : {}),
    ...(storage.filesystem ? { folder: queueFolder(storage.filesystem.rootdirectory) } : {}),
  });
}

/** Outside of distribution's tree. */
function queueFolder(rootDirectory: string): string {
  return join(rootDirectory, '.registry-operator', 'notifications');
}
