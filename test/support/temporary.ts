import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Scope {
  after(hook: () => void | Promise<void>): void;
}

/** A folder that goes away with the test. */
export async function temporaryFolder(scope: Scope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-operator-'));
  scope.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
