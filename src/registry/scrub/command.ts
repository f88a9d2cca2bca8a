/** `registry scrub`: verifies every blob on the volume once, also beside a running server. */
import { parseArgs } from 'node:util';
import { readBlobs } from '#registry/catalog/disk-reader.ts';
import type { Digest } from '#registry/oci/digest.ts';
import { createFilesystemDriver } from '#registry/storage/drivers/filesystem.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createRegistryStore } from '#registry/storage/registry-store.ts';
import type { Logger } from '#shared/logger.ts';
import { scrub, type ScrubObserver, type ScrubReport } from './scrubber.ts';

export const scrubUsage = `Usage:
  registry scrub [flags] <config>

Verifies every blob against its digest. A corrupt one is moved to <rootdirectory>/.registry-operator/quarantine, so that the next
push heals it. Reads extensions.scrub.bytespersecond at most. The exit code is 1 when something is wrong.

Flags:
  -d, --dry-run    only tell what is corrupt
  -q, --quiet      no progress, only what is wrong
`;

export interface ScrubFlags {
  dryRun: boolean;
  quiet: boolean;
  configFile?: string;
}

/** Throws an Error whose message says which argument is wrong. */
export function parseScrubFlags(argv: string[]): ScrubFlags {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', short: 'd', default: false },
      quiet: { type: 'boolean', short: 'q', default: false },
    },
  });
  const [configFile] = positionals;
  if (positionals.length > 1) throw new Error(`one configuration file is expected, not ${positionals.length}`);
  const flags = { dryRun: values['dry-run'], quiet: values.quiet };
  return configFile === undefined ? flags : { ...flags, configFile };
}

export interface ScrubRun extends ScrubFlags {
  rootDirectory: string;
  bytesPerSecond: number;
  /** Told of what is wrong. */
  logger: Logger;
  signal: AbortSignal;
  /** The lines of progress. */
  stdout: (text: string) => void;
}

/** The exit code: 0, 1 when a blob is corrupt or unreadable, 130 when it was interrupted. */
export async function scrubCommand(run: ScrubRun): Promise<number> {
  const { logger, signal, dryRun } = run;
  const driver = createFilesystemDriver({ rootDirectory: run.rootDirectory });
  const store = createRegistryStore({ driver, logger });
  const print = run.quiet ? () => {} : run.stdout;
  try {
    const observe = progress(print, await volumeSize(driver, signal));
    const report = await scrub({ driver, store, logger, dryRun, bytesPerSecond: run.bytesPerSecond, observe }, signal);
    print(summary(report));
    return report.corrupt + report.unreadable > 0 ? 1 : 0;
  } catch (error) {
    if (!signal.aborted) throw error;
    print('interrupted; what has been set aside stays so\n');
    return 130;
  } finally {
    await store.close();
  }
}

interface Size {
  blobs: number;
  bytes: number;
}

async function volumeSize(driver: StorageDriver, signal: AbortSignal): Promise<Size> {
  const size = { blobs: 0, bytes: 0 };
  const show = (_: Digest, bytes: number) => {
    size.blobs++;
    size.bytes += bytes;
  };
  // The scrub itself tells of what can't be read.
  await readBlobs(driver, { signal, show, failed: () => {} });
  return size;
}

/** Milliseconds between two lines. */
const lineMs = 5000;

function progress(print: (text: string) => void, all: Size): ScrubObserver {
  const done = { blobs: 0, bytes: 0 };
  let next = performance.now() + lineMs;
  print(`${all.blobs} blobs, ${all.bytes} bytes\n`);
  return {
    verified({ bytes }) {
      done.blobs++;
      done.bytes += bytes;
      if (performance.now() < next) return;
      next = performance.now() + lineMs;
      print(`${done.blobs} of ${all.blobs} blobs, ${done.bytes} of ${all.bytes} bytes\n`);
    },
  };
}

function summary({ blobs, bytes, corrupt, setAside, unreadable }: ScrubReport): string {
  return `${blobs} blobs (${bytes} bytes) verified: ${corrupt} corrupt, ${setAside} set aside, ${unreadable} unreadable\n`;
}
