/** SIGHUP: the index is built anew, for what another process has changed on the volume (`rsync`, a restore, another registry). */
import type { Catalog } from '#registry/catalog/catalog.ts';
import { aborted } from '#shared/lifecycle.ts';
import type { Logger } from '#shared/logger.ts';

export interface Rescan {
  /** Listens for SIGHUP until `signal` aborts; resolves when a rescan that runs then has ended. */
  run(signal: AbortSignal): Promise<void>;
}

/** One at a time: a signal that comes while a rescan runs is ignored, and that is logged. */
export function createRescan(catalog: Catalog, logger: Logger): Rescan {
  async function rescan(signal: AbortSignal): Promise<void> {
    const before = catalog.usage();
    logger.info('SIGHUP: the volume is read again');
    try {
      await catalog.build(signal);
      logger.info(difference(before, catalog.usage()), 'the volume has been read again');
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error }, 'the volume could not be read again; what was known stays');
    }
  }

  return {
    async run(signal) {
      let running: Promise<void> | undefined;
      const onSignal = () => {
        if (running) logger.warn('SIGHUP is ignored: the volume is being read again already');
        else running = rescan(signal).finally(() => (running = undefined));
      };
      process.on('SIGHUP', onSignal);
      await aborted(signal);
      process.off('SIGHUP', onSignal);
      await running;
    },
  };
}

type Usage = ReturnType<Catalog['usage']>;

/** How much more or, below zero, less there is. What requests changed meanwhile is in it. */
function difference(before: Usage, after: Usage): Omit<Usage, 'complete'> {
  return {
    repositories: after.repositories - before.repositories,
    tags: after.tags - before.tags,
    manifests: after.manifests - before.manifests,
    blobs: after.blobs - before.blobs,
    bytes: after.bytes - before.bytes,
  };
}
