import { blobsRoot } from '#registry/storage/layout.ts';
import { parseDigest } from '#registry/oci/digest.ts';
import { settle, type FileState, type Task, type Volume } from './volume.ts';
import type { Checkpoint } from './interrupt.ts';
import type { BlobPlan, Plan } from './plan.ts';

interface BlobSearch {
  marked: ReadonlySet<string>;
  /** Milliseconds since 1970; later is young. */
  cutoff: number;
  plan: Plan;
  /** Links of distribution that lead to a blob under another digest. */
  aliasesOf: ReadonlyMap<string, string[]>;
  checkpoint?: Checkpoint | undefined;
}

/** Walks all blobs and puts those that nothing keeps, and that are old enough, into the plan. */
export function* findLooseBlobs(volume: Volume, search: BlobSearch): Task<void> {
  for (const algorithm of (yield* settle(volume.list(blobsRoot))) ?? []) {
    for (const prefix of (yield* settle(volume.list(`${blobsRoot}/${algorithm}`))) ?? []) {
      yield* searchDirectory(volume, search, `${blobsRoot}/${algorithm}/${prefix}`, algorithm);
    }
  }
}

/** Waits without {@link settle}: a generator for each blob would cost as much as the look at it. */
function* searchDirectory(volume: Volume, search: BlobSearch, directory: string, algorithm: string): Task<void> {
  for (const encoded of (yield* settle(volume.list(directory))) ?? []) {
    const digest = `${algorithm}:${encoded}`;
    if (search.marked.has(digest)) continue;
    const pause = search.checkpoint?.();
    if (pause) yield pause;
    if (!parseDigest(digest)) {
      search.plan.problems.push({
        subject: `${directory}/${encoded}`,
        message: 'this is no blob that we know; it stays',
      });
      continue;
    }
    const look = volume.stat(`${directory}/${encoded}/data`);
    const data = look instanceof Promise ? ((yield look) as FileState | undefined) : look;
    if (!data) search.plan.emptyDirectories.push({ key: digest, path: `${directory}/${encoded}` });
    else if (data.modifiedMs <= search.cutoff)
      search.plan.blobs.push(blobPlan(digest, data, search.aliasesOf.get(digest)));
  }
}

function blobPlan(digest: string, { size, modifiedMs }: FileState, aliases: string[] = []): BlobPlan {
  return { digest, size, modifiedMs, keys: [digest, ...aliases] };
}
