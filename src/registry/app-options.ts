import type { AppOptions } from '#registry/app.ts';
import type { Configuration } from '#registry/config/schema.ts';

/** The slices of the configuration that answering requests depends on. */
export function appOptions({ http, storage, catalog, tags, validation, extensions }: Configuration): AppOptions {
  return {
    urls: { host: http.host, relative: http.relativeurls },
    prefix: http.prefix === '' ? '/' : http.prefix,
    headers: http.headers,
    deleteEnabled: storage.delete.enabled,
    readOnly: storage.maintenance.readonly.enabled,
    maxEntries: catalog.maxentries,
    maxTags: tags.maxtags,
    manifestMaxBytes: extensions.manifests.maxbytes,
    validation: {
      enabled: validation.enabled || !validation.disabled,
      urlAllow: validation.manifests.urls.allow,
      urlDeny: validation.manifests.urls.deny,
      platforms: validation.manifests.indexes.platforms,
      platformList: validation.manifests.indexes.platformlist,
    },
  };
}
