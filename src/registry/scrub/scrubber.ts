/** Verifies every blob on the volume against its digest, and sets aside what is not what it should be: docs/scrub.md. */
import type { Digest } from '#registry/oci/digest.ts';
import type { FileInfo, StorageDriver } from '#registry/storage/driver.ts';
import { quarantinedBlob } from '#registry/storage/layout.ts';
import type { RegistryStore } from '#registry/storage/store.ts';
import type { Logger } from '#shared/logger.ts';
import { repositoriesOf } from './holders.ts';
import { createPace } from './pace.ts';
import { storedDigests, type DigestWalk } from './stored-digests.ts';
import { verifyBlob, type Verdict } from './verify.ts';

export interface ScrubOptions {
  driver: StorageDriver;
  /** Moves away what is corrupt; its observers hear of it. */
  store: RegistryStore;
  logger: Logger;
  /** Bytes read per second at most; 0: no limit. */
  bytesPerSecond: number;
  /** Only tell. */
  dryRun: boolean;
  observe?: ScrubObserver;
  /** Where to begin, and who is told how far it has come. */
  walk?: DigestWalk;
}

export interface ScrubObserver {
  /** After each blob that could be read. */
  verified?(blob: { bytes: number; sound: boolean }): void;
}

export interface ScrubReport {
  blobs: number;
  bytes: number;
  /** Blobs that are not what their digest says. */
  corrupt: number;
  /** Of these, how many were moved away. The log says why the others were not. */
  setAside: number;
  /** Blobs, and directories of blobs, that the disk did not let us read. They stay where they are. */
  unreadable: number;
}

/** Small, so that hashing one piece never holds up a request for long: a fraction of a millisecond. */
const pieceBytes = 256 * 1024;

/** What a blob counts at least against the limit: opening many small files is work for a disk, too. */
const smallestCost = 64 * 1024;

/** Whose repositories are looked for: after a disk has lost very much, that many are example enough. */
const explainedBlobs = 100;

/** One pass; rejects with the reason of the signal. Memory: one buffer, and the names of a 256th of the blobs. */
export async function scrub(options: ScrubOptions, signal: AbortSignal): Promise<ScrubReport> {
  const { driver, logger, observe } = options;
  const report: ScrubReport = { blobs: 0, bytes: 0, corrupt: 0, setAside: 0, unreadable: 0 };
  const pace = createPace(options.bytesPerSecond);
  const piece = {
    buffer: Buffer.allocUnsafeSlow(pieceBytes),
    seen: (bytes: number) => pace(Math.max(bytes, smallestCost), signal),
  };
  const failed = (of: object, err: unknown) => {
    report.unreadable++;
    logger.error({ err, ...of }, 'what is stored could not be verified');
  };
  for await (const digest of storedDigests(driver, (shelf, error) => failed({ shelf }, error), options.walk)) {
    signal.throwIfAborted();
    try {
      const verdict = await verifyBlob(driver, digest, piece);
      if (!verdict) continue;
      report.blobs++;
      report.bytes += verdict.info.size;
      observe?.verified?.({ bytes: verdict.info.size, sound: verdict.sound });
      if (!verdict.sound) await condemn(options, { digest, verdict, report, signal });
    } catch (error) {
      signal.throwIfAborted();
      failed({ digest }, error);
    }
  }
  return report;
}

interface Condemned {
  digest: Digest;
  verdict: Verdict;
  report: ScrubReport;
  signal: AbortSignal;
}

async function condemn(options: ScrubOptions, { digest, verdict, report, signal }: Condemned): Promise<void> {
  report.corrupt++;
  const { info, actual } = verdict;
  const repositories = report.corrupt <= explainedBlobs ? await holders(options.driver, digest, signal) : undefined;
  const facts = { digest, actual, bytes: info.size, repositories };
  if (options.dryRun) options.logger.error(facts, 'a blob is corrupt');
  else if (await setAside(options, { digest, info, facts })) report.setAside++;
}

async function setAside(
  { store, logger }: ScrubOptions,
  { digest, info, facts }: { digest: Digest; info: FileInfo; facts: object },
): Promise<boolean> {
  const to = quarantinedBlob(digest, Date.now());
  try {
    const moved = await store.setAside(digest, { seen: info, to });
    if (moved) {
      logger.error({ ...facts, quarantine: to }, 'a blob is corrupt and was set aside: the next push of it heals it');
    } else logger.warn(facts, 'a blob was corrupt and has been pushed again, or removed, in the meantime');
    return moved;
  } catch (error) {
    logger.error({ ...facts, err: error }, 'a blob is corrupt and could not be set aside');
    return false;
  }
}

/** What can't be found out must not keep the blob where it is. */
async function holders(driver: StorageDriver, digest: Digest, signal: AbortSignal): Promise<string[] | undefined> {
  try {
    return await repositoriesOf(driver, digest, signal);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
