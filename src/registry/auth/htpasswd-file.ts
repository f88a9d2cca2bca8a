import { readFile, stat } from 'node:fs/promises';
import { RegistryError } from '#registry/oci/errors.ts';
import type { Logger } from '#shared/logger.ts';

export interface HtpasswdFile {
  /** Users with their hashes as the file has them now. Rejects with UNAVAILABLE when it is gone. */
  users(): Promise<ReadonlyMap<string, string>>;
}

/** Throws an Error that names the line without a colon. Source: distribution, registry/auth/htpasswd/htpasswd.go. */
export function parseHtpasswd(text: string): Map<string, string> {
  const users = new Map<string, string>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    if (colon < 0) throw new Error(`line ${index + 1} is no entry: expected user:hash`);
    users.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return users;
}

/** Rejects when the file can't be used. */
export async function openHtpasswdFile(path: string, logger: Logger): Promise<HtpasswdFile> {
  let version = await versionOf(path);
  let current = parseHtpasswd(await readFile(path, 'utf8'));
  let looking: Promise<void> | undefined;

  /** A file that somebody saves in two steps keeps nobody out: what it said before stays until it can be read again. */
  async function look(): Promise<void> {
    const next = await versionOf(path);
    if (next === version) return;
    version = next;
    try {
      current = parseHtpasswd(await readFile(path, 'utf8'));
      logger.info({ path, users: current.size }, 'the htpasswd file has changed and was read again');
    } catch (error) {
      logger.error({ err: error, path }, 'the htpasswd file has changed and is not usable; its last good state stays');
    }
  }

  return {
    async users() {
      // Requests that come side by side share one look.
      looking ??= look().finally(() => (looking = undefined));
      await looking;
      return current;
    },
  };
}

async function versionOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch (cause) {
    throw new RegistryError('UNAVAILABLE', { message: 'the list of users can not be read', cause });
  }
}
