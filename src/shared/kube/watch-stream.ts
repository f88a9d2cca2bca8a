import { readLines } from './body.ts';
import { noAnswer } from './failure.ts';
import { type CallDependencies, openStream } from './json-call.ts';
import type { KubeObject, ListOptions, ResourceType, WatchEvent } from './kube-client.ts';
import { collectionPath, queryString, selectors } from './resource-path.ts';
import { withoutManagedFields } from './trim.ts';

export interface WatchDependencies extends CallDependencies {
  silenceMs: number;
}

/** As client-go: the server is asked to end each watch after 5 to 10 minutes, so that load spreads over its replicas. */
const shortestWatchSeconds = 300;

export async function* watchStream<T extends KubeObject>(
  dependencies: WatchDependencies,
  type: ResourceType,
  options: ListOptions & { resourceVersion: string },
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  const { clock, silenceMs } = dependencies;
  const path = collectionPath(type, options.namespace);
  const query = queryString({
    ...selectors(options),
    watch: true,
    allowWatchBookmarks: true,
    resourceVersion: options.resourceVersion,
    timeoutSeconds: Math.round(shortestWatchSeconds * (1 + clock.random())),
  });
  const body = await openStream(dependencies, path + query, signal);
  try {
    for await (const line of readLines(body, clock, silenceMs)) {
      if (line === '') continue;
      const event = JSON.parse(line) as WatchEvent<T>;
      if (event.type !== 'ERROR') withoutManagedFields(event.object);
      yield event;
    }
  } catch (error) {
    throw noAnswer(`watch ${path}`, signal.aborted ? signal.reason : error);
  }
}
