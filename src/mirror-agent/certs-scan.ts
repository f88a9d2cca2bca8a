import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Marker, readMarker } from './hosts-toml.ts';

/** The name of the file in each directory. */
export const hostsFile = 'hosts.toml';

/** What we write under on the way to the real name; what bears it after a crash is ours to remove. */
export const temporaryPrefix = '.registry-operator-';

/** What certs.d holds. Never more than is needed to decide what to do. */
export interface CertsScan {
  /** By the name of the entry in certs.d. */
  entries: Map<string, Entry>;
  /** Paths below certs.d that a crash of ours left. */
  leftovers: string[];
}

export type Entry = { kind: 'directory'; file: FoundFile } | { kind: 'other'; what: string };

export type FoundFile =
  | { kind: 'absent' }
  | { kind: 'ours'; marker: Marker; intact: boolean; text: string }
  | { kind: 'foreign'; what: string }
  | { kind: 'unreadable'; error: NodeJS.ErrnoException };

/** A file of ours is below 1 KiB; what is longer is not ours, and is not read. */
const maxBytes = 64 * 1024;

/** Rejects with the system's error when the directory itself can't be read. */
export async function scanCerts(directory: string): Promise<CertsScan> {
  const scan: CertsScan = { entries: new Map(), leftovers: [] };
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.name.startsWith(temporaryPrefix)) scan.leftovers.push(entry.name);
    else if (entry.isDirectory()) scan.entries.set(entry.name, await scanHost(directory, entry.name, scan.leftovers));
    else scan.entries.set(entry.name, { kind: 'other', what: entry.isSymbolicLink() ? 'a symbolic link' : 'a file' });
  }
  return scan;
}

async function scanHost(directory: string, name: string, leftovers: string[]): Promise<Entry> {
  try {
    for (const file of await readdir(join(directory, name))) {
      if (file.startsWith(temporaryPrefix)) leftovers.push(join(name, file));
    }
    return { kind: 'directory', file: await readHostsFile(join(directory, name, hostsFile)) };
  } catch (error) {
    return { kind: 'directory', file: { kind: 'unreadable', error: error as NodeJS.ErrnoException } };
  }
}

async function readHostsFile(path: string): Promise<FoundFile> {
  let file: FileHandle | undefined;
  try {
    const stat = await lstat(path);
    if (stat.isSymbolicLink()) return { kind: 'foreign', what: 'a symbolic link' };
    if (stat.isDirectory()) return { kind: 'foreign', what: 'a directory' };
    if (!stat.isFile()) return { kind: 'foreign', what: 'no regular file' };
    if (stat.size > maxBytes) return { kind: 'foreign', what: 'a file' };
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const text = await file.readFile('utf8');
    const found = readMarker(text);
    return found ? { kind: 'ours', ...found, text } : { kind: 'foreign', what: 'a file' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'unreadable', error: error as NodeJS.ErrnoException };
  } finally {
    await file?.close();
  }
}
