import type { Catalog } from '#registry/catalog/catalog.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import type { Exchange, Methods } from '#registry/http/exchange.ts';
import { createPageAnswer, pageRequest, requestedEntries } from '#registry/http/paging.ts';

export interface CatalogDeps {
  catalog: Catalog;
  /** `catalog.maxentries`. */
  maxEntries: number;
}

/** Distribution's page when the client does not say. */
const defaultEntries = 100;

/** `GET /v2/_catalog`: the names of the repositories. */
export function catalogEndpoint({ catalog, maxEntries }: CatalogDeps): Methods {
  const pageAnswer = createPageAnswer();

  async function list(exchange: Exchange) {
    const query = exchange.query();
    const n = requestedEntries(query);
    if (n !== undefined && n > maxEntries) {
      throw new RegistryError('PAGINATION_NUMBER_INVALID', { message: `n is more than ${maxEntries}`, detail: { n } });
    }
    const limit = n ?? Math.min(defaultEntries, maxEntries);
    const asked = pageRequest(query, limit);
    const page = await catalog.repositories(asked);
    return pageAnswer(exchange, asked, page, () => ({ repositories: page.entries }));
  }

  return { GET: list };
}
