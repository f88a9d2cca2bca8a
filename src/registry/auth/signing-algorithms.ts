const families = ['HS', 'RS', 'ES', 'PS'].flatMap((family) => ['256', '384', '512'].map((size) => family + size));

/** With which tokens may be signed, as JSON Web Algorithms names them (RFC 7518 3.1, RFC 8037). */
export const signingAlgorithms = ['EdDSA', ...families];
