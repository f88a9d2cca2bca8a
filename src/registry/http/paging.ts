/** `n` and `last` of the lists. Source: distribution-spec "Listing tags"; distribution, registry/handlers/{tags,catalog}.go. */
import { RegistryError } from '#registry/oci/errors.ts';
import type { PageRequest } from '#registry/catalog/catalog.ts';
import type { Answer, Exchange } from './exchange.ts';
import { nextPage } from './links.ts';

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

/** A page as JSON, with the Link to the next one when there is more. */
export function pageAnswer(exchange: Exchange, body: unknown, entries: string[], more: boolean, limit: number): Answer {
  const headers: Answer['headers'] = { 'Content-Type': 'application/json' };
  const last = entries.at(-1);
  if (more && last !== undefined) headers['Link'] = nextPage(exchange, { last, n: String(limit) });
  return { status: 200, headers, body: JSON.stringify(body) };
}
