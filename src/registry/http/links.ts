/** The addresses that answers give: for Location, and for the next page. */
import type { Digest } from '#registry/oci/digest.ts';
import type { BaseUrl } from './absolute-url.ts';
import type { Exchange } from './exchange.ts';

export interface Links {
  blob(exchange: Exchange, digest: Digest): string;
  manifest(exchange: Exchange, digest: Digest): string;
  upload(exchange: Exchange, id: string): string;
}

export function createLinks(base: BaseUrl): Links {
  const repository = ({ request, name }: Exchange) => `${base(request)}/v2/${name}`;
  return {
    blob: (exchange, digest) => `${repository(exchange)}/blobs/${digest}`,
    manifest: (exchange, digest) => `${repository(exchange)}/manifests/${digest}`,
    upload: (exchange, id) => `${repository(exchange)}/blobs/uploads/${id}`,
  };
}

/** The Link header of a page that has a next one: the same path, as RFC 8288 allows, so that no proxy can break it. */
export function nextPage(exchange: Exchange, parameters: Record<string, string> | URLSearchParams): string {
  return `<${pathOf(exchange)}?${new URLSearchParams(parameters).toString()}>; rel="next"`;
}

/** As the client wrote it, without the query. */
export function pathOf({ request }: Exchange): string {
  const [path = ''] = (request.url ?? '').split('?', 1);
  return path;
}
