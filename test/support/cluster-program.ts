import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** One of the programs that test clusters are made of, built first (a minute, once) when it is not there. */
export async function clusterProgram(name: string): Promise<string> {
  const cluster = process.env['CLUSTER_DIR'] ?? join(homedir(), '.cache', 'registry-operator', 'cluster');
  const path = join(cluster, 'bin', name);
  try {
    await access(path, constants.X_OK);
  } catch {
    await execute(fileURLToPath(new URL('../cluster/build-programs', import.meta.url)), [name]);
  }
  return path;
}
