/** `GET /v2/<name>/referrers/<digest>` (distribution-spec end-12). */
import type { Referrers } from '#registry/catalog/referrers.ts';
import { parseDigest } from '#registry/oci/digest.ts';
import { RegistryError } from '#registry/oci/errors.ts';
import { mediaTypes, type Descriptor } from '#registry/oci/manifest.ts';
import type { Answer, Exchange, Methods } from '#registry/http/exchange.ts';
import { nextPage } from '#registry/http/links.ts';

/** Bytes of descriptors in one answer: clients read it as a manifest, and those have 4 MiB at most. */
const pageBytes = 3 * 2 ** 20;

export function referrersEndpoint(referrers: Referrers): Methods {
  async function list(exchange: Exchange): Promise<Answer> {
    const subject = parseDigest(exchange.subject);
    if (!subject) throw new RegistryError('DIGEST_INVALID', { detail: { digest: exchange.subject } });
    const query = exchange.query();
    const artifactType = query.get('artifactType');
    const last = query.get('last') ?? '';
    const all = await referrers.of(exchange.name, subject);
    const wanted = all.filter(
      ({ digest, ...rest }) => digest > last && (artifactType === null || rest.artifactType === artifactType),
    );
    const page = firstPage(wanted);
    const headers: Answer['headers'] = { 'Content-Type': mediaTypes.ociIndex };
    if (artifactType !== null) headers['OCI-Filters-Applied'] = 'artifactType';
    const end = page.at(-1);
    if (end && page.length < wanted.length) {
      headers['Link'] = nextPage(exchange, { ...(artifactType === null ? {} : { artifactType }), last: end.digest });
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
