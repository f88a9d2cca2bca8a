import type { Digest } from '#registry/oci/digest.ts';
import { DigestTable } from '#registry/storage/digest-table.ts';

/**
 * What the manifests of one repository point at by their subject. Most point at nothing, and take 32 to 64 bytes here.
 * Manifests never change, so that one look at each is enough.
 */
export class RepositorySubjects {
  readonly #read = new DigestTable();
  readonly #subjects = new Map<Digest, Digest>();

  /** Manifests that have been looked at. */
  get size(): number {
    return this.#read.size;
  }

  hasRead(manifest: Digest): boolean {
    return this.#read.get(manifest) !== undefined;
  }

  add(manifest: Digest, subject: Digest | undefined): void {
    this.#read.set(manifest, 0);
    if (subject) this.#subjects.set(manifest, subject);
  }

  /** Those of `manifests` that point at `subject`. */
  pointingAt(subject: Digest, manifests: Digest[]): Digest[] {
    return manifests.filter((manifest) => this.#subjects.get(manifest) === subject);
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
