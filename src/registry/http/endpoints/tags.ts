import type { Catalog } from '#registry/catalog/catalog.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import type { Exchange, Methods } from '#registry/http/exchange.ts';
import { createPageAnswer, pageRequest, requestedEntries } from '#registry/http/paging.ts';

export interface TagsDeps {
  catalog: Catalog;
  /** `tags.maxtags`: the most that one page holds, when the client asks for pages. */
  maxTags: number;
}

/** `GET /v2/<name>/tags/list` (distribution-spec end-8a and 8b). Without `n`, all of them. */
export function tagsEndpoint({ catalog, maxTags }: TagsDeps): Methods {
  const pageAnswer = createPageAnswer();

  async function list(exchange: Exchange) {
    const query = exchange.query();
    const n = requestedEntries(query);
    const limit = n === undefined ? Number.MAX_SAFE_INTEGER : Math.min(n, maxTags);
    const asked = pageRequest(query, limit);
    const page = await catalog.tags(exchange.name, asked);
    if (!page) throw new RegistryError('NAME_UNKNOWN', { detail: { name: exchange.name } });
    return pageAnswer(exchange, asked, page, () => ({ name: exchange.name, tags: page.entries }));
  }

  return { GET: list };
}
