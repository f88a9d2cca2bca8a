/**
 * A program that publishes events to a receiver until it is killed: `event-publisher.ts <folder of queues> <url> <name> <ms>`, the
 * last being the time without a sign of life after which others take its queue over. It says on standard output which tags are
 * published, each when that is promised to last.
 */
import { writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { openNotifications } from '#registry/notifications/notifications.ts';
import { createLogger } from '#shared/logger.ts';

const [folder = '', url = '', name = '', staleMs = '0'] = process.argv.slice(2);
const pauseMs = 5;

const notifications = await openNotifications({
  endpoints: [
    {
      name: 'receiver',
      url,
      headers: {},
      timeoutMs: 1000,
      threshold: 3,
      backoffMs: 50,
      ignoredActions: [],
      ignoredMediaTypes: [],
    },
  ],
  folder,
  maxBytes: 2 ** 20,
  address: name,
  logger: createLogger({ level: 'error' }),
  lease: { staleMs: Number(staleMs) },
  inheritEveryMs: Number(staleMs),
});
void notifications.run(new AbortController().signal);

for (let number = 0; ; number++) {
  const tag = `${name}-${number}`;
  await notifications.publish({
    action: 'push',
    target: { mediaType: 'application/x', digest: '', size: 0, repository: 'a', tag },
    request: { id: tag, addr: '', host: '', method: 'PUT', useragent: '' },
  });
  writeSync(1, `published ${tag}\n`);
  await delay(pauseMs);
}
