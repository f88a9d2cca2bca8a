import { X509Certificate } from 'node:crypto';

/** The certificates of a PEM file. Throws an Error when one of them can't be read. */
export function parseCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** Certificates of a JOSE header's `x5c`, the signer's first; `undefined` when one of them is none. Source: RFC 7515 4.1.6. */
export function parseX5c(x5c: unknown): X509Certificate[] | undefined {
  if (!Array.isArray(x5c) || x5c.length > longestChain) return undefined;
  try {
    return x5c.map((der: unknown) => new X509Certificate(Buffer.from(String(der), 'base64')));
  } catch {
    return undefined;
  }
}

const longestChain = 10;

/**
 * Whether `leaf` leads to one of `roots`, by way of `intermediates`: every certificate valid at `at` and signed by the next,
 * which is a certificate authority. A leaf that is itself a root is trusted, as Go's verifier has it.
 */
export function isTrusted(
  leaf: X509Certificate,
  intermediates: X509Certificate[],
  roots: X509Certificate[],
  at: Date,
  depth = 0,
): boolean {
  if (depth > longestChain || !isValidAt(leaf, at)) return false;
  if (roots.some((root) => root.raw.equals(leaf.raw))) return true;
  const issuers = [...roots, ...intermediates].filter((issuer) => hasIssued(issuer, leaf));
  return issuers.some((issuer) => isTrusted(issuer, intermediates, roots, at, depth + 1));
}

function isValidAt(certificate: X509Certificate, at: Date): boolean {
  return certificate.validFromDate <= at && at <= certificate.validToDate;
}

function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
