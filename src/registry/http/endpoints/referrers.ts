/** `GET /v2/<name>/referrers/<digest>` (distribution-spec end-12). Several `artifactType`s are any of them. */
import type { Referrers } from '#registry/catalog/referrers.ts';
import { mediaTypes, type Descriptor } from '#registry/oci/manifest.ts';
import type { Answer, Exchange, Methods } from '#registry/http/exchange.ts';
import { nextPage } from '#registry/http/links.ts';
import { requiredDigest } from '#registry/http/required-digest.ts';

/** Bytes of descriptors in one answer: clients read it as a manifest, and those have 4 MiB at most. */
const pageBytes = 3 * 2 ** 20;

export function referrersEndpoint(referrers: Referrers): Methods {
  async function list(exchange: Exchange): Promise<Answer> {
    const subject = requiredDigest(exchange.subject);
    const query = exchange.query();
    const types = query.getAll('artifactType');
    const last = query.get('last') ?? '';
    const all = await referrers.of(exchange.name, subject);
    const wanted = all.filter(
      ({ digest, artifactType = '' }) => digest > last && (types.length === 0 || types.includes(artifactType)),
    );
    const page = firstPage(wanted);
    const headers: Answer['headers'] = { 'Content-Type': mediaTypes.ociIndex };
    if (types.length > 0) headers['OCI-Filters-Applied'] = 'artifactType';
    const end = page.at(-1);
    if (end && page.length < wanted.length) {
      const next = new URLSearchParams({ last: end.digest });
      for (const type of types) next.append('artifactType', type);
      headers['Link'] = nextPage(exchange, next);
    }
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: page });
    return { status: 200, headers, body };
  }
  return { GET: list };
}

/** At least one, so that the pages come to an end. */
function firstPage(descriptors: Descriptor[]): Descriptor[] {
  let bytes = 0;
  const end = descriptors.findIndex((descriptor, index) => {
    bytes += Buffer.byteLength(JSON.stringify(descriptor));
    return index > 0 && bytes > pageBytes;
  });
  return end < 0 ? descriptors : descriptors.slice(0, end);
}
