import type { AppOptions } from '#registry/app.ts';
import type { Configuration } from '#registry/config/schema.ts';

type Limit = Configuration['extensions']['limits']['read'];

function requestLimit({ maxrunning, maxinqueue, maxwaitinqueue }: Limit): AppOptions['limits']['read'] {
  return { maxRunning: maxrunning, maxInQueue: maxinqueue, maxWaitInQueue: maxwaitinqueue };
}

/** The slices of the configuration that answering requests depends on. */
export function appOptions(configuration: Configuration): AppOptions {
  const { http, storage, catalog, tags, validation, notifications, extensions } = configuration;
  return {
    urls: { host: http.host, relative: http.relativeurls },
    prefix: http.prefix.endsWith('/') ? http.prefix : `${http.prefix}/`,
    headers: http.headers,
    deleteEnabled: storage.delete.enabled,
    readOnly: storage.maintenance.readonly.enabled,
    maxEntries: catalog.maxentries,
    maxTags: tags.maxtags,
    eventReferences: notifications.events.includereferences,
    manifestMaxBytes: extensions.manifests.maxbytes,
    limits: { read: requestLimit(extensions.limits.read), write: requestLimit(extensions.limits.write) },
    validation: {
      enabled: validation.enabled || !validation.disabled,
      sparse: extensions.manifests.sparse,
      urlAllow: validation.manifests.urls.allow,
      urlDeny: validation.manifests.urls.deny,
      platforms: validation.manifests.indexes.platforms,
      platformList: validation.manifests.indexes.platformlist,
    },
  };
}
