/** New certificates without a restart: whoever renews them (cert-manager, a cron job) only writes the files. */
import type { Server } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { createSecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { readTlsFiles, type Tls, type TlsFiles } from './tls.ts';
import type { Logger } from '#shared/logger.ts';

export interface TlsReloadOptions {
  tls: Tls;
  /** What the server was made with. */
  current: TlsFiles;
  server: Server;
  logger: Logger;
  intervalMs?: number;
}

export interface TlsReload {
  /** Until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const tenSeconds = 10_000;

/**
 * Reads the files now and then: they are small, a mounted Secret changes by a symbolic link two
 * folders up, and bytes say what times of files only hint at. New connections get what is new. Files that don't
 * belong together (yet), or are missing, change nothing: that is logged once, and looked at again.
 */
export function createTlsReload(options: TlsReloadOptions): TlsReload {
  const { server, logger, tls, intervalMs = tenSeconds } = options;
  const { cert, key, minVersion, ca, ciphers } = options.current;
  let current: TlsFiles = { cert, key, minVersion, ...(ciphers ? { ciphers } : {}), ...(ca ? { ca } : {}) };
  let problem: string | undefined;

  async function look(): Promise<void> {
    const next = await readTlsFiles(tls);
    if (!isDeepStrictEqual(next, current)) {
      // Tried apart, since a server keeps a part of what it then refuses.
      createSecureContext(next);
      server.setSecureContext(next);
      current = next;
      logger.info({ certificate: tls.certificate }, 'the TLS files have changed and are in use');
    }
    problem = undefined;
  }

  async function run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await delay(intervalMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await look().catch((error: Error) => {
        if (problem === error.message) return;
        problem = error.message;
        logger.error(
          { err: error, certificate: tls.certificate },
          'the TLS files are not usable; the old ones stay in use',
        );
      });
    }
  }

  return { run };
}
