/** `http.tls` as Node takes it. */
import { readFile } from 'node:fs/promises';
import type { ServerOptions } from 'node:https';
import type { SecureContextOptions, SecureVersion, TLSSocket } from 'node:tls';
import { openSslCiphers } from '#registry/config/cipher-suites.ts';
import type { Configuration } from '#registry/config/schema.ts';

export type Tls = Configuration['http']['tls'];

const versions: Record<Tls['minimumtls'], SecureVersion> = {
  'tls1.2': 'TLSv1.2',
  'tls1.3': 'TLSv1.3',
};

/** What a client certificate must be. Without a mode, `clientcas` alone asks for one that can be verified, as in distribution. */
type Demand = Pick<ServerOptions, 'requestCert' | 'rejectUnauthorized'> & { accepts?: (client: Client) => boolean };

interface Client {
  hasCertificate: boolean;
  isVerified: boolean;
}

const verified: Demand = { requestCert: true, rejectUnauthorized: true };

/** Node itself knows "verified" and "whatever"; the two between are checked when the connection is there. */
const demands: Record<Tls['clientauth'], Demand> = {
  '': verified,
  'require-and-verify-client-cert': verified,
  'request-client-cert': { requestCert: true, rejectUnauthorized: false },
  'require-any-client-cert': {
    requestCert: true,
    rejectUnauthorized: false,
    accepts: ({ hasCertificate }) => hasCertificate,
  },
  'verify-client-cert-if-given': {
    requestCert: true,
    rejectUnauthorized: false,
    accepts: ({ hasCertificate, isVerified }) => isVerified || !hasCertificate,
  },
};

/** What the files say. */
export type TlsFiles = Required<Pick<SecureContextOptions, 'cert' | 'key' | 'minVersion'>> & {
  ca?: Buffer[];
  ciphers?: string;
};

export interface LoadedTls {
  options: ServerOptions & TlsFiles;
  /** For each new connection; one that is not accepted is to be closed. */
  accepts: (socket: TLSSocket) => boolean;
}

/** `undefined` without a certificate: plain HTTP. Rejects when a file can't be read. */
export async function loadTls(tls: Tls): Promise<LoadedTls | undefined> {
  if (tls.certificate === '') return undefined;
  const asksClients = tls.clientcas.length > 0;
  const { accepts, ...demand } = demands[tls.clientauth];
  return {
    options: { ...(await readTlsFiles(tls)), ...(asksClients ? demand : {}) },
    accepts: (socket) =>
      !asksClients ||
      accepts === undefined ||
      accepts({ hasCertificate: 'raw' in socket.getPeerCertificate(), isVerified: socket.authorized }),
  };
}

export async function readTlsFiles(tls: Tls): Promise<TlsFiles> {
  const files = [tls.certificate, tls.key, ...tls.clientcas];
  const [cert, key, ...ca] = (await Promise.all(files.map(readNamed))) as [Buffer, Buffer, ...Buffer[]];
  return { cert, key, ...ofProtocol(tls), ...(ca.length > 0 ? { ca } : {}) };
}

async function readNamed(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`http.tls: ${file} can't be read: ${(error as Error).message}`, { cause: error });
  }
}

function ofProtocol({ minimumtls, ciphersuites }: Tls): Pick<TlsFiles, 'minVersion' | 'ciphers'> {
  const ciphers = openSslCiphers(ciphersuites);
  return ciphers === '' ? { minVersion: 'TLSv1.3' } : { minVersion: versions[minimumtls], ciphers };
}
