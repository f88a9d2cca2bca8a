/** What this machine has, and what it can be given. */
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './command.ts';
import { Unmet, type Report } from './progress.ts';

/** The path of a program, looked for in `folders` and then in PATH. */
export async function findProgram(name: string, folders: string[] = []): Promise<string | undefined> {
  for (const folder of [...folders, ...(process.env['PATH'] ?? '').split(delimiter)]) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Installs Debian packages; rejects with an {@link Unmet} that names them where that is not for us to do. */
export async function installPackages(packages: string[], report: Report): Promise<void> {
  const command = `apt-get install ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !(await findProgram('apt-get'))) {
    throw new Unmet(`Missing: ${packages.join(', ')}. As root on Debian or Ubuntu: ${command}`);
  }
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, onLine: report };
  await run('apt-get', ['update', '-q'], options);
  await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], options);
}
