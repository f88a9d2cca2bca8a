/** `http.tls` as Node takes it. */
import { readFile } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import type { SecureVersion } from 'node:tls';
import type { Configuration } from '#registry/config/schema.ts';

type Tls = Configuration['http']['tls'];

const versions: Record<Tls['minimumtls'], SecureVersion> = {
  'tls1.0': 'TLSv1',
  'tls1.1': 'TLSv1.1',
  'tls1.2': 'TLSv1.2',
  'tls1.3': 'TLSv1.3',
};

/** Distribution asks for a certificate that it can verify as soon as `clientcas` is given, unless `clientauth` says less. */
const clientAuth: Record<Tls['clientauth'], Pick<ServerOptions, 'requestCert' | 'rejectUnauthorized'>> = {
  '': { requestCert: true, rejectUnauthorized: true },
  'request-client-cert': { requestCert: true, rejectUnauthorized: false },
  'require-any-client-cert': { requestCert: true, rejectUnauthorized: true },
  'verify-client-cert-if-given': { requestCert: true, rejectUnauthorized: true },
  'require-and-verify-client-cert': { requestCert: true, rejectUnauthorized: true },
};

/** `undefined` without a certificate: plain HTTP. Throws when a file can't be read. */
export async function loadTls(tls: Tls): Promise<ServerOptions | undefined> {
  if (tls.certificate === '') return undefined;
  const [cert, key, ...ca] = await Promise.all(
    [tls.certificate, tls.key, ...tls.clientcas].map((file) => readFile(file)),
  );
  return {
    cert,
    key,
    minVersion: versions[tls.minimumtls],
    ...(ca.length > 0 ? { ca, ...clientAuth[tls.clientauth] } : {}),
  };
}
