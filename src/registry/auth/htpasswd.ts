import type { Logger } from '#shared/logger.ts';
import type { Authenticator } from './authenticator.ts';
import type { ComparePassword } from './bcrypt-thread.ts';
import { challenge, parseBasic, type Credentials } from './header.ts';
import { openHtpasswdFile } from './htpasswd-file.ts';
import { unauthorized } from './refusal.ts';
import { createVerifiedCredentials } from './verified-credentials.ts';

export interface HtpasswdOptions {
  realm: string;
  /** Read again when it changes. */
  path: string;
  compare: ComparePassword;
  logger: Logger;
}

/** The hash of nothing, at the cost that Go's and most other programs take. */
const dummyHash = '$2a$10$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';

const bcryptHash = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;

/**
 * Users of a file that `htpasswd -B` makes; whoever is in it may do everything. Only bcrypt: every other hash matches
 * nothing. Source: distribution, registry/auth/htpasswd/access.go.
 */
export async function createHtpasswd({ realm, path, compare, logger }: HtpasswdOptions): Promise<Authenticator> {
  const file = await openHtpasswdFile(path, logger);
  const verify = createVerifier(compare);
  return {
    async authenticate(headers, access) {
      const credentials = parseBasic(headers.authorization);
      if (credentials && (await verify(credentials, await file.users()))) {
        return { name: credentials.user, unrestricted: true };
      }
      if (credentials) logger.info({ user: credentials.user }, 'user failed to authenticate');
      throw unauthorized(challenge('Basic', { realm }), access);
    },
  };
}

type Users = ReadonlyMap<string, string>;

/**
 * What the password of an unknown user is compared with, in vain, so that the time of the answer does not tell. It is a hash
 * of the file, since those were mostly made alike: `htpasswd` has a cost of 5, other programs 10, which is 32 times as long.
 */
function decoy(users: Users): string {
  return users.values().find((hash) => bcryptHash.test(hash)) ?? dummyHash;
}

/** Requests of one client come side by side: those that ask the same wait for one comparison. */
function createVerifier(
  comparePassword: ComparePassword,
): (credentials: Credentials, users: Users) => Promise<boolean> {
  const verified = createVerifiedCredentials();
  const running = new Map<string, Promise<boolean>>();

  async function compare(credentials: Credentials, hash: string | undefined, users: Users): Promise<boolean> {
    const known = hash !== undefined && bcryptHash.test(hash);
    const matches = await comparePassword(credentials.password, known ? hash : decoy(users));
    if (matches && known) verified.add(credentials, hash);
    return matches && known;
  }

  return async (credentials, users) => {
    const hash = users.get(credentials.user);
    if (hash !== undefined && verified.has(credentials, hash)) return true;
    const key = JSON.stringify([credentials.user, credentials.password, hash]);
    const comparison = running.get(key) ?? compare(credentials, hash, users).finally(() => running.delete(key));
    running.set(key, comparison);
    return comparison;
  };
}
