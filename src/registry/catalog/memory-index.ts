import { ownCopy } from './own-copy.ts';
import { RepositoryIndex } from './repository-index.ts';
import { SortedNames } from './sorted-names.ts';

/** All repositories and the sums over them. */
export class MemoryIndex {
  readonly names = new SortedNames();
  readonly #repositories = new Map<string, RepositoryIndex>();
  #tags = 0;
  #manifests = 0;

  get tags(): number {
    return this.#tags;
  }

  get manifests(): number {
    return this.#manifests;
  }

  get(name: string): RepositoryIndex | undefined {
    return this.#repositories.get(name);
  }

  /** Changes one repository, which begins to exist with that. */
  update(name: string, change: (repository: RepositoryIndex) => void): RepositoryIndex {
    const repository = this.#repositories.get(name) ?? this.#add(ownCopy(name));
    this.#count(repository, -1);
    change(repository);
    this.#count(repository, 1);
    return repository;
  }

  drop(name: string): void {
    const repository = this.#repositories.get(name);
    if (!repository) return;
    this.#count(repository, -1);
    this.#repositories.delete(name);
    this.names.delete(name);
  }

  #add(name: string): RepositoryIndex {
    const repository = new RepositoryIndex();
    this.names.add(name);
    this.#repositories.set(name, repository);
    return repository;
  }

  #count(repository: RepositoryIndex, sign: 1 | -1): void {
    this.#tags += sign * repository.tags.size;
    this.#manifests += sign * repository.manifests;
  }
}
