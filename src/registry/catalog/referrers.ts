/**
 * Which manifests point at another one by their subject: signatures, attestations, lists of parts. Distribution's tree has
 * no such index, so the manifests of a repository are read when it is first asked about, and after that only new ones.
 */
import { digestAlgorithm, digestEncoded, type Digest } from '#registry/oci/digest.ts';
import { parseManifest, type Descriptor, type Manifest } from '#registry/oci/manifest.ts';
import type { StorageDriver } from '#registry/storage/driver.ts';
import { createKeyedMutex } from '#registry/storage/keyed-mutex.ts';
import type { RegistryStore, RepositoryStore, StoredManifest } from '#registry/storage/store.ts';
import { workThrough } from '#registry/storage/work-through.ts';
import { listRevisions, lookTheSame } from './disk-reader.ts';
import { createSubjectsMemory } from './repository-subjects.ts';

export interface Referrers {
  /** Descriptors as distribution-spec "Listing Referrers" wants them, by digest; empty for whatever is not known. */
  of(repository: string, subject: Digest): Promise<Descriptor[]>;
}

export interface ReferrersOptions {
  /** Where the manifests are listed. */
  driver: StorageDriver;
  /** Where they are read. */
  store: RegistryStore;
  /** Manifests of which is remembered what they point at. Default 1,000,000. */
  limit?: number;
}

/** Manifests read at a time. */
const width = 16;

/** Manifests of which is remembered what they point at, in all repositories together: 64 MiB at most, and what points at something. */
const remembered = 1_000_000;

export function createReferrers({ driver, store, limit = remembered }: ReferrersOptions): Referrers {
  const memory = createSubjectsMemory(limit);
  const turns = createKeyedMutex();

  /** The directories say whether there is something new, whoever put it there, and only that is opened. */
  async function pointingAt(subject: Digest, repository: RepositoryStore): Promise<readonly Digest[]> {
    const subjects = memory.of(repository.name);
    const isCurrent = subjects.looks !== undefined && (await lookTheSame(driver, subjects.looks));
    if (!isCurrent) subjects.list(await listRevisions(driver, repository.name));
    const { unread } = subjects;
    const visit = async (digest: Digest) => {
      const stored = await repository.manifests.get(digest);
      if (stored) subjects.add(digest, parsed(stored)?.subject?.digest);
    };
    await workThrough(unread, { width, visit });
    if (unread.length > 0 || subjects.size === 0) memory.trim();
    return subjects.pointingAt(subject);
  }

  return {
    async of(name, subject) {
      const repository = store.repository(name);
      // One after the other, so that nobody lists less than what another one has read already.
      const own = await turns.run(name, () => pointingAt(subject, repository));
      const found = new Map<Digest, Descriptor>();
      for (const descriptor of await taggedReferrers(repository, subject)) found.set(descriptor.digest, descriptor);
      // Some of them may have been deleted since they were read.
      for (const digest of own) {
        const stored = await repository.manifests.get(digest);
        const manifest = stored && parsed(stored);
        if (manifest) found.set(digest, describe(stored, manifest));
      }
      return [...found.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
    },
  };
}

/** Of the index under the fallback tag, which clients keep where a registry has no referrers: those that are still here. */
async function taggedReferrers(repository: RepositoryStore, subject: Digest): Promise<Descriptor[]> {
  const tagged = await repository.tags.resolve(fallbackTag(subject));
  const stored = tagged && (await repository.manifests.get(tagged));
  const listed = (stored && parsed(stored)?.manifests) ?? [];
  const here = await Promise.all(listed.map(({ digest }) => repository.manifests.get(digest)));
  return listed.filter((_, index) => here[index] !== undefined);
}

/** Source: distribution-spec "Referrers Tag Schema". */
export function fallbackTag(subject: Digest): string {
  return `${digestAlgorithm(subject).slice(0, 32)}-${digestEncoded(subject).slice(0, 64)}`;
}

function describe({ digest, bytes }: StoredManifest, { mediaType, artifactType, annotations }: Manifest): Descriptor {
  return {
    mediaType,
    digest,
    size: bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** `undefined` for what another registry took and this one would not. */
function parsed({ bytes }: StoredManifest): Manifest | undefined {
  try {
    return parseManifest(bytes);
  } catch {
    return undefined;
  }
}
