/** `registry garbage-collect`: distribution's command with distribution's flags, and `--min-age` of our own. */
import { parseArgs } from 'node:util';
import { parseDuration } from '#shared/duration.ts';
import { collect, type Collection } from './collect.ts';
import { directRemover } from './direct-remover.ts';
import { Interrupted, takingTurns } from './interrupt.ts';
import { markLines } from './lines.ts';
import { summaryLines } from './summary.ts';
import { synchronousVolume } from './synchronous-volume.ts';
import { run as runTask } from './volume.ts';

export const garbageCollectUsage = `Usage:
  registry garbage-collect [flags] <config>

Flags:
  -m, --delete-untagged    delete manifests that are not currently referenced via tag
  -d, --dry-run            do everything except remove the blobs
  -q, --quiet              silence output
      --min-age duration   keep what was written within this time ("1h"), since a push may be under way;
                           needed while the registry takes pushes (default: extensions.garbagecollection.minage, else 0)
`;

export interface GarbageCollectFlags {
  dryRun: boolean;
  deleteUntagged: boolean;
  quiet: boolean;
  /** Absent: as the configuration says. */
  minimumAgeMs?: number;
  configFile?: string;
}

/** Throws an Error whose message says which argument is wrong. */
export function parseGarbageCollectFlags(argv: string[]): GarbageCollectFlags {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', short: 'd', default: false },
      'delete-untagged': { type: 'boolean', short: 'm', default: false },
      quiet: { type: 'boolean', short: 'q', default: false },
      'min-age': { type: 'string' },
    },
  });
  if (positionals.length > 1) throw new Error(`one configuration file is expected, not ${positionals.length}`);
  const flags: GarbageCollectFlags = {
    dryRun: values['dry-run'],
    deleteUntagged: values['delete-untagged'],
    quiet: values.quiet,
  };
  const [configFile] = positionals;
  if (configFile !== undefined) flags.configFile = configFile;
  if (values['min-age'] !== undefined) flags.minimumAgeMs = ageOf(values['min-age']);
  return flags;
}

function ageOf(text: string): number {
  const age = parseDuration(text);
  if (age === undefined || age < 0) throw new Error(`--min-age: "${text}" is not a duration such as 30m or 1h`);
  return age;
}

export interface GarbageCollectRun extends GarbageCollectFlags {
  rootDirectory: string;
  minimumAgeMs: number;
  signal: AbortSignal;
  /** The lines of distribution. */
  stdout: (text: string) => void;
  /** Problems, bytes and times. */
  stderr: (text: string) => void;
}

/** The exit code: 0, or 130 when it was interrupted. A damaged file is reported and does not fail the command. */
export async function garbageCollect(run: GarbageCollectRun): Promise<number> {
  const lines = inBlocks(run.stdout);
  try {
    const collection = await collectHere(run, run.quiet ? undefined : lines.print);
    lines.flush();
    for (const line of summaryLines(collection)) run.stderr(`${line}\n`);
    return 0;
  } catch (error) {
    lines.flush();
    if (!(error instanceof Interrupted)) throw error;
    run.stderr(`${error.message}\n`);
    return 130;
  }
}

/** In this thread, by calls that block: a thread of its own would take as long to start as a small registry to read. */
async function collectHere(run: GarbageCollectRun, print?: (line: string) => void): Promise<Collection> {
  const { rootDirectory, deleteUntagged, minimumAgeMs, signal } = run;
  const volume = synchronousVolume(rootDirectory);
  const checkpoint = takingTurns(signal);
  // What a dry run does not need is not loaded.
  const sweeping = run.dryRun ? undefined : await import('./sweep-blobs.ts');
  const sweeper = sweeping?.blobSweeper({ rootDirectory, volume, checkpoint, signal });
  try {
    return await runTask(
      collect({
        volume,
        deleteUntagged,
        minimumAgeMs,
        now: Date.now(),
        observer: { ...(print ? markLines(print) : {}), checkpoint },
        ...(print ? { print } : {}),
        ...(sweeper ? { remover: directRemover(volume), removeBlobs: sweeper.sweep } : {}),
      }),
    );
  } finally {
    await sweeper?.end();
  }
}

/** Characters of lines in one write. */
const block = 32_768;

function inBlocks(write: (text: string) => void): { print: (line: string) => void; flush: () => void } {
  let text = '';
  const flush = (): void => {
    if (text !== '') write(text);
    text = '';
  };
  const print = (line: string): void => {
    text += `${line}\n`;
    if (text.length > block) flush();
  };
  return { print, flush };
}
