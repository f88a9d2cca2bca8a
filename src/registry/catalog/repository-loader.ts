import type { StorageDriver } from '#registry/storage/driver.ts';
import { createKeyedMutex } from '#registry/storage/keyed-mutex.ts';
import { tagLink, tagsDirectory } from '#registry/storage/layout.ts';
import { readRepository } from './disk-reader.ts';
import type { MemoryIndex } from './memory-index.ts';
import type { RepositoryIndex } from './repository-index.ts';

export interface RepositoryLoader {
  /** Reads all of a repository, or drops it from the index when the disk does not know it. */
  load(name: string): Promise<RepositoryIndex | undefined>;
  /**
   * With the tags that are on disk now: one look at their directory shows whether another process has changed it, and one at
   * each link that was missing whether a push has been completed.
   */
  current(name: string): Promise<RepositoryIndex | undefined>;
  /**
   * Somebody found no link of a tag. When it is known, another process was killed while it deleted the tag or made it anew, which
   * the directory of the tags does not show.
   */
  doubt(name: string, tag: string): Promise<void>;
  /** It was removed. A reading that runs may have seen it, and is done again. */
  drop(name: string): void;
}

/** Whoever asks for what is being read already gets the same reading. `changed` is called after each. */
export function createRepositoryLoader(
  driver: StorageDriver,
  index: MemoryIndex,
  changed: () => void,
): RepositoryLoader {
  const readings = new Map<string, Promise<RepositoryIndex | undefined>>();
  /** What was removed while it was being read. */
  const outdated = new Set<string>();
  /** Of one repository only one reading at a time: what is announced meanwhile belongs to it. */
  const turns = createKeyedMutex();

  function read(name: string, depth: 'tags' | 'all'): Promise<RepositoryIndex | undefined> {
    const key = `${depth} ${name}`;
    const running = readings.get(key);
    if (running) return running;
    const reading = turns.run(name, () => readFromDisk(name, depth === 'all')).finally(() => readings.delete(key));
    readings.set(key, reading);
    return reading;
  }

  async function readFromDisk(name: string, withManifests: boolean): Promise<RepositoryIndex | undefined> {
    const before = index.get(name);
    before?.beginReading();
    outdated.delete(name);
    const isKnown = (tag: string) => !withManifests && before?.tags.has(tag) === true;
    const listing = await readRepository(driver, name, { isKnown, withManifests });
    if (outdated.has(name)) return readFromDisk(name, true);
    if (listing) index.update(name, (repository) => repository.endReading(listing));
    else if (!index.get(name)?.isAnnounced) index.drop(name);
    changed();
    return index.get(name);
  }

  async function current(name: string): Promise<RepositoryIndex | undefined> {
    const repository = index.get(name);
    const info = await driver.stat(tagsDirectory(name));
    if (repository?.isCurrent(info) && !(await hasNewLink(name, repository))) return repository;
    return read(name, repository?.isRead ? 'tags' : 'all');
  }

  async function hasNewLink(name: string, { unlinked }: RepositoryIndex): Promise<boolean> {
    for (const tag of unlinked) if (await driver.stat(tagLink(name, tag))) return true;
    return false;
  }

  function drop(name: string): void {
    if (readings.has(`all ${name}`) || readings.has(`tags ${name}`)) outdated.add(name);
    index.drop(name);
  }

  async function doubt(name: string, tag: string): Promise<void> {
    const isKnown = () => index.get(name)?.tags.has(tag) === true;
    if (!isKnown() || (await driver.stat(tagLink(name, tag))) || !isKnown()) return;
    index.update(name, (repository) => repository.doubtTag(tag));
    changed();
  }

  return { load: (name) => read(name, 'all'), current, doubt, drop };
}
