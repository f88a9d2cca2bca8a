import { blobsRoot } from '#registry/storage/layout.ts';
import { parseDigest } from '#registry/oci/digest.ts';
import { settle, type Task, type Volume } from './volume.ts';
import type { Checkpoint } from './interrupt.ts';
import type { Plan } from './plan.ts';

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
      const directory = `${blobsRoot}/${algorithm}/${prefix}`;
      for (const encoded of (yield* settle(volume.list(directory))) ?? []) {
        if (search.marked.has(`${algorithm}:${encoded}`)) continue;
        yield* settle(search.checkpoint?.());
        yield* consider(volume, search, `${directory}/${encoded}`, `${algorithm}:${encoded}`);
      }
    }
  }
}

function* consider(volume: Volume, search: BlobSearch, directory: string, digest: string): Task<void> {
  if (!parseDigest(digest)) {
    search.plan.problems.push({ subject: directory, message: 'this is no blob that we know; it stays' });
    return;
  }
  const data = yield* settle(volume.stat(`${directory}/data`));
  if (!data) search.plan.emptyDirectories.push({ key: digest, path: directory });
  else if (data.modifiedMs <= search.cutoff) {
    search.plan.blobs.push({ digest, ...data, keys: [digest, ...(search.aliasesOf.get(digest) ?? [])] });
  }
}
