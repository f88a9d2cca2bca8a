/**
 * Changes certs.d so that containerd, which reads it at each pull, never sees half a file, and so that a crash leaves
 * nothing but names with {@link temporaryPrefix}: temporary name, sync, rename, sync of the directory.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Action } from './certs-plan.ts';
import { hostsFile, temporaryPrefix } from './certs-scan.ts';

export interface Outcome {
  action: Action;
  /** The system's word for what went wrong; the rest was done all the same. */
  error?: NodeJS.ErrnoException;
}

/** One outcome for each action, in their order. Never rejects. */
export async function executeCerts(root: string, actions: Action[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const action of actions) {
    try {
      await execute(root, action);
      outcomes.push({ action });
    } catch (error) {
      outcomes.push({ action, error: error as NodeJS.ErrnoException });
    }
  }
  return outcomes;
}

async function execute(root: string, action: Action): Promise<void> {
  switch (action.kind) {
    case 'create':
      return createDirectory(root, action.directory, action.text);
    case 'write':
      return replaceFile(join(root, action.directory), action.text);
    case 'remove':
      return removeFile(root, action.directory, action.origin === 'created');
    case 'clean':
      return rm(join(root, action.path), { recursive: true });
    case 'keep':
    case 'refuse':
    case 'abandon':
      return;
  }
}

/** The directory appears with the file in it: an empty one would make containerd ask the host itself. */
async function createDirectory(root: string, directory: string, text: string): Promise<void> {
  const staged = join(root, temporaryName());
  try {
    await mkdir(staged, { mode: 0o755 });
    await replaceFile(staged, text);
    await rename(staged, join(root, directory));
    await syncDirectory(root);
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    throw error;
  }
}

async function replaceFile(directory: string, text: string): Promise<void> {
  const temporary = join(directory, temporaryName());
  try {
    await writeSynced(temporary, text);
    await rename(temporary, join(directory, hostsFile));
    await syncDirectory(directory);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o644);
  await file.writeFile(text);
  await file.sync();
}

/** A directory of our making goes as a whole, out of sight first; with files of others in it, only ours goes. */
async function removeFile(root: string, directory: string, created: boolean): Promise<void> {
  const path = join(root, directory);
  if (!created || (await readdir(path)).length > 1) {
    await unlink(join(path, hostsFile));
    return syncDirectory(path);
  }
  const doomed = join(root, temporaryName());
  await rename(path, doomed);
  await unlink(join(doomed, hostsFile));
  try {
    await rmdir(doomed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error;
    await rename(doomed, path);
  }
  await syncDirectory(dirname(path));
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}

function temporaryName(): string {
  return temporaryPrefix + randomBytes(8).toString('hex');
}
