/** `n` and `last` of the lists. Source: distribution-spec "Listing tags"; distribution, registry/handlers/{tags,catalog}.go. */
import { RegistryError } from '#registry/oci/errors.ts';
import type { Page, PageRequest } from '#registry/catalog/catalog.ts';
import { createByteCache } from '#registry/storage/byte-cache.ts';
import type { Answer, Exchange } from './exchange.ts';
import { nextPage, pathOf } from './links.ts';

/** `n` of the query; `undefined` when it is absent. Throws PAGINATION_NUMBER_INVALID. */
export function requestedEntries(query: URLSearchParams): number | undefined {
  const n = query.get('n');
  if (n === null || n === '') return undefined;
  if (!/^\d{1,15}$/.test(n)) throw new RegistryError('PAGINATION_NUMBER_INVALID', { detail: { n } });
  return Number(n);
}

export function pageRequest(query: URLSearchParams, limit: number): PageRequest {
  const last = query.get('last');
  return last === null || last === '' ? { limit } : { after: last, limit };
}

/** `content` is made when the page is not the one that went out last time. */
export type PageAnswer = (exchange: Exchange, asked: PageRequest, page: Page, content: () => object) => Answer;

/** Of all lists of one kind together; a page of more than an eighth of it is made anew each time. */
const keptBytes = 8 * 2 ** 20;

/** Bytes of an entry beside its body. */
const entryBytes = 1000;

/**
 * Pages as JSON, with the Link to the next one when there is more. They are kept until their list changes: clients that look
 * for new tags ask again and again, and to make the JSON of 10,000 tags takes ten times as long as all the rest.
 */
export function createPageAnswer(): PageAnswer {
  const kept = createByteCache<{ version: object; answer: Answer }>(keptBytes);
  return (exchange, { after = '', limit }, page, content) => {
    const key = `${limit} ${after} ${pathOf(exchange)}`;
    const known = kept.get(key);
    if (known?.version === page.version) return known.answer;
    const headers: Answer['headers'] = { 'Content-Type': 'application/json' };
    const last = page.entries.at(-1);
    if (page.more && last !== undefined) headers['Link'] = nextPage(exchange, { last, n: String(limit) });
    const body = Buffer.from(JSON.stringify(content()));
    const answer = { status: 200, headers, body };
    kept.set(key, { version: page.version, answer }, body.byteLength + 2 * key.length + entryBytes);
    return answer;
  };
}
