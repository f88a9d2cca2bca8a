import type { Digest } from '#registry/oci/digest.ts';
import type { FileInfo } from '#registry/storage/driver.ts';
import { isSameFile } from '#registry/storage/driver.ts';
import { DigestTable } from '#registry/storage/digest-table.ts';
import { ownCopy } from './own-copy.ts';
import { SortedNames } from './sorted-names.ts';

/** What a look at the disk found of one repository. */
export interface RepositoryListing {
  tags: string[];
  /** Names that have a directory but no link, which another process may be about to put there. */
  unlinked: string[];
  /** Absent when only the tags were read. */
  manifests?: Digest[];
  /** Of the tags directory before it was read; `undefined` when it does not tell whether something has changed since. */
  tagsInfo: FileInfo | undefined;
}

/** Changes that were announced while the disk was being read; they are later than what the reading found. */
interface Announced {
  tags: Map<string, boolean>;
  manifests: Map<Digest, boolean>;
}

/** The tags and manifests of one repository. Until it has been read from disk it holds what was announced. */
export class RepositoryIndex {
  readonly tags = new SortedNames();
  #manifests = new DigestTable();
  #tagsInfo: FileInfo | undefined;
  #unlinked: string[] = [];
  #read = false;
  #announced: Announced | undefined = { tags: new Map(), manifests: new Map() };

  get manifests(): number {
    return this.#manifests.size;
  }

  setTag(name: string): void {
    const tag = ownCopy(name);
    this.#announced?.tags.set(tag, true);
    this.tags.add(tag);
  }

  deleteTag(tag: string): void {
    this.#announced?.tags.set(tag, false);
    this.tags.delete(tag);
  }

  /** It is looked for on disk the next time that somebody asks for the tags. */
  doubtTag(tag: string): void {
    this.tags.delete(tag);
    this.#tagsInfo = undefined;
  }

  putManifest(digest: Digest): void {
    this.#announced?.manifests.set(digest, true);
    this.#manifests.set(digest, 0);
  }

  deleteManifest(digest: Digest): void {
    this.#announced?.manifests.set(digest, false);
    this.#manifests.delete(digest);
  }

  /** Whether all of it has been read from disk at some time. */
  get isRead(): boolean {
    return this.#read;
  }

  /** Whether something was announced since the reading began, so that the repository exists whatever the reading found. */
  get isAnnounced(): boolean {
    return this.#announced !== undefined && this.#announced.tags.size + this.#announced.manifests.size > 0;
  }

  /** Directories below that of the tags whose link was not there yet: when it comes, the directory of the tags stays as it is. */
  get unlinked(): readonly string[] {
    return this.#unlinked;
  }

  /** Whether the tags are those on disk, whose directory looks like `info` now: another process may have changed it. */
  isCurrent(info: FileInfo | undefined): boolean {
    return this.#read && info !== undefined && this.#tagsInfo !== undefined && isSameFile(this.#tagsInfo, info);
  }

  /**
   * From here on announced changes are remembered, to be laid over what the reading finds; earlier ones were on disk before
   * they were announced, so it finds them.
   */
  beginReading(): void {
    this.#announced = { tags: new Map(), manifests: new Map() };
  }

  endReading(listing: RepositoryListing): void {
    this.tags.replace(overlay(listing.tags, this.#announced?.tags));
    this.#tagsInfo = listing.tagsInfo;
    this.#unlinked = listing.unlinked;
    if (listing.manifests) {
      const manifests = overlay(listing.manifests, this.#announced?.manifests);
      this.#manifests = new DigestTable();
      for (const digest of manifests) this.#manifests.set(digest, 0);
      this.#read = true;
    }
    this.#announced = undefined;
  }
}

function overlay<T>(found: T[], announced: Map<T, boolean> | undefined): Set<T> {
  const result = new Set(found);
  for (const [item, exists] of announced ?? []) {
    if (exists) result.add(item);
    else result.delete(item);
  }
  return result;
}
