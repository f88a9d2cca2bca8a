import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hash } from 'bcryptjs';

/**
 * Makes the file with a user `docker` when there is none, as distribution does; gives the password, or `undefined` when the
 * file is there.
 */
export async function provisionHtpasswd(path: string): Promise<string | undefined> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (exists) return undefined;
  const password = randomBytes(32).toString('base64url');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `docker:${await hash(password, 10)}\n`, { mode: 0o600, flag: 'wx' });
  return password;
}
