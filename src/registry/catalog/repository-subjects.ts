import type { Digest } from '#registry/oci/digest.ts';
import { DigestTable } from '#registry/storage/digest-table.ts';
import type { Looks, RevisionListing } from './disk-reader.ts';

/** Manifests that are gone and take little enough room to be remembered. */
const fewGone = 1000;

/**
 * What the manifests of one repository point at by their subject. Most point at nothing, and take 32 to 64 bytes here.
 * Manifests never change, so that one look at each is enough.
 */
export class RepositorySubjects {
  #read = new DigestTable();
  #referrers = new Map<Digest, Digest[]>();
  #unread = new Set<Digest>();
  #looks: Looks | undefined;

  /** Manifests that are remembered, read or not. */
  get size(): number {
    return this.#read.size + this.#unread.size;
  }

  /** Listed and not read: new ones, and those without a link, which may come and leave the directories as they are. */
  get unread(): Digest[] {
    return [...this.#unread];
  }

  /** Of the last listing. */
  get looks(): Looks | undefined {
    return this.#looks;
  }

  list({ digests, looks }: RevisionListing): void {
    if (this.#read.size > 2 * digests.length + fewGone) this.#forgetAllBut(new Set(digests));
    this.#unread = new Set(digests.filter((digest) => !this.#hasRead(digest)));
    this.#looks = looks;
  }

  add(manifest: Digest, subject: Digest | undefined): void {
    this.#unread.delete(manifest);
    if (this.#hasRead(manifest)) return;
    this.#read.set(manifest, 0);
    if (!subject) return;
    const referrers = this.#referrers.get(subject);
    if (referrers) referrers.push(manifest);
    else this.#referrers.set(subject, [manifest]);
  }

  /** Those that were read and point at `subject`, whether they are still there or not; in no order. */
  pointingAt(subject: Digest): readonly Digest[] {
    return this.#referrers.get(subject) ?? [];
  }

  #hasRead(manifest: Digest): boolean {
    return this.#read.get(manifest) !== undefined;
  }

  #forgetAllBut(listed: ReadonlySet<Digest>): void {
    const read = [...listed].filter((digest) => this.#hasRead(digest));
    this.#read = new DigestTable();
    for (const digest of read) this.#read.set(digest, 0);
    for (const [subject, referrers] of this.#referrers) {
      const kept = referrers.filter((digest) => listed.has(digest));
      if (kept.length > 0) this.#referrers.set(subject, kept);
      else this.#referrers.delete(subject);
    }
  }
}

export interface SubjectsMemory {
  /** Of the repository as they are known so far, to be added to. */
  of(repository: string): RepositorySubjects;
  /** To be called when some were added: the repository that was asked about longest ago is forgotten first. */
  trim(): void;
}

/** `limit`: manifests in all repositories together; one that has more by itself is kept until another one is asked about. */
export function createSubjectsMemory(limit: number): SubjectsMemory {
  const repositories = new Map<string, RepositorySubjects>();
  return {
    of(repository) {
      const subjects = repositories.get(repository) ?? new RepositorySubjects();
      repositories.delete(repository);
      repositories.set(repository, subjects);
      return subjects;
    },
    trim() {
      let manifests = repositories.values().reduce((sum, { size }) => sum + size, 0);
      for (const [repository, { size }] of repositories) {
        // Whatever name somebody asks about is here, though it has nothing.
        if (size > 0 && (manifests <= limit || size === manifests)) continue;
        repositories.delete(repository);
        manifests -= size;
      }
    },
  };
}
