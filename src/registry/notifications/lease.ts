/**
 * Which process a folder belongs to, on a volume that several may share. The owner writes its file again and again; who finds
 * one that is old, or whose process is known to have ended, takes the folder over.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, readlink, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

export interface Identity {
  /** This start of the machine and, in it, the container: elsewhere a pid says nothing. */
  place: string;
  pid: number;
}

export interface LeaseOptions {
  /** Milliseconds without a sign of life after which an owner counts as gone. */
  staleMs?: number;
  /** Absent: the process that runs. */
  self?: Identity;
}

export interface Lease {
  /**
   * `false` once another process has taken the folder over: from then on it is the other one's. What was written before a look
   * that gives `true` is found by whoever takes the folder over later.
   */
  isHeld(): Promise<boolean>;
  /** Gives the folder to whoever comes next. */
  release(): Promise<void>;
}

const minute = 60_000;

/** `undefined` when the folder has an owner. The folder must be there. */
export async function takeLease(folder: string, options: LeaseOptions = {}): Promise<Lease | undefined> {
  const { staleMs = minute, self = await thisProcess() } = options;
  const path = join(folder, 'owner');
  const own = JSON.stringify({ ...self, lease: randomUUID() });
  const file =
    (await create(path, own)) ?? ((await cleared(path, self, staleMs)) ? await create(path, own) : undefined);
  if (!file) return undefined;
  const isHeld = async () => (await contentOf(path)) === own;
  // Into the file that was made here, never into one that has taken its place: that would take the folder back from its new owner,
  // who still removes what it delivers.
  const timer = setInterval(() => void file.write(own, 0).catch(() => undefined), staleMs / 6).unref();
  return {
    isHeld,
    async release() {
      clearInterval(timer);
      await file.close();
      if (await isHeld()) await rm(path, { force: true });
    },
  };
}

/** The file, which stays open; `undefined` when it is there. */
async function create(path: string, content: string): Promise<FileHandle | undefined> {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  try {
    await file?.writeFile(content);
    return file;
  } catch (error) {
    await file?.close();
    throw error;
  }
}

/** The same when another process, which wants it too, clears it at this moment: whoever then makes the file has it. */
async function cleared(path: string, self: Identity, staleMs: number): Promise<boolean> {
  try {
    return await clear(path, self, staleMs);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}

/** Removes the file of an owner that is gone; `false` when there is one. Rejects with ENOENT when it goes meanwhile. */
async function clear(path: string, self: Identity, staleMs: number): Promise<boolean> {
  const content = await contentOf(path);
  if (content === undefined) return true;
  if (!hasEnded(content, self) && (await ageOf(path)) < staleMs) return false;
  // Renamed and looked at: what another process made meanwhile is not removed.
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside);
  const found = await contentOf(aside);
  if (found === content || found === undefined) {
    await rm(aside, { force: true });
    return true;
  }
  await rename(aside, path);
  return false;
}

/** Milliseconds by the clock of the volume, which need not be that of this machine. */
async function ageOf(path: string): Promise<number> {
  const probe = `${path}.${randomUUID()}`;
  await writeFile(probe, '');
  try {
    return (await stat(probe)).mtimeMs - (await stat(path)).mtimeMs;
  } finally {
    await rm(probe, { force: true });
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** Only what is sure: a process of the same place that is not there, or whose pid is ours now. */
function hasEnded(content: string, self: Identity): boolean {
  const owner = parseIdentity(content);
  return owner?.place === self.place && (owner.pid === self.pid || !isAlive(owner.pid));
}

function parseIdentity(content: string): Identity | undefined {
  try {
    return JSON.parse(content) as Identity;
  } catch {
    // Made, but not written yet.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function thisProcess(): Promise<Identity> {
  const [boot, namespace] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => hostname()),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ]);
  return { place: `${boot.trim()} ${namespace}`, pid: process.pid };
}
