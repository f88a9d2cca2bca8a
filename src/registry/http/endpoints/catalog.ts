import type { Catalog } from '#registry/catalog/catalog.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import type { Exchange, Methods } from '#registry/http/exchange.ts';
import { pageAnswer, pageRequest, requestedEntries } from '#registry/http/paging.ts';

export interface CatalogDeps {
  catalog: Catalog;
  /** `catalog.maxentries`. */
  maxEntries: number;
}

/** Distribution's page when the client does not say. */
const defaultEntries = 100;

/** `GET /v2/_catalog`: the names of the repositories. */
export function catalogEndpoint({ catalog, maxEntries }: CatalogDeps): Methods {
  async function list(exchange: Exchange) {
    const query = exchange.query();
    const n = requestedEntries(query);
    if (n !== undefined && n > maxEntries) {
      throw new RegistryError('PAGINATION_NUMBER_INVALID', { message: `n is more than ${maxEntries}`, detail: { n } });
    }
    const limit = n ?? Math.min(defaultEntries, maxEntries);
    const { entries, more } = await catalog.repositories(pageRequest(query, limit));
    return pageAnswer(exchange, { repositories: entries }, entries, more, limit);
  }
  return { GET: list };
}
