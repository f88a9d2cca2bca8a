/**
 * A process that pushes, killed by SIGKILL at moments that a seed decides. What it had acknowledged is there and whole, and
 * nothing that is not whole can be seen. CRASH_SEED=7 plays a run again, CRASH_ROUNDS=300 makes it longer.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseDigest, type Digest } from '#registry/oci/digest.ts';
import { createLogger } from '#shared/logger.ts';
import { seededRandom } from '#test/support/random.ts';
import { digestOf } from '#test/support/stored-content.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createFilesystemDriver } from './drivers/filesystem.ts';
import { blobsRoot, treeRoot } from './layout.ts';
import { createRegistryStore } from './registry-store.ts';
import type { RepositoryStore } from './store.ts';
import { createUploadPurger } from './uploads/upload-purger.ts';

const rounds = Number(process.env['CRASH_ROUNDS'] ?? 24);
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const writer = fileURLToPath(import.meta.resolve('#test/support/storage-writer.ts'));
/** A process is killed some milliseconds after it has said some lines, so that it gets somewhere on a busy machine too. */
const [mostLines, longestDelayMs] = [25, 20];
const logger = createLogger({ level: 'silent' });

/** What the killed process said: what must be there, and for each tag what it may point to. */
interface Promised {
  blobs: Set<Digest>;
  manifests: Set<Digest>;
  tags: Map<string, Set<Digest>>;
}

function note(promised: Promised, line: string): void {
  const [word, what = '', text = ''] = line.split(' ');
  const digest = parseDigest(text);
  if (!digest) return;
  if (what === 'blob') promised.blobs.add(digest);
  else if (what === 'manifest') promised.manifests.add(digest);
  else if (word === 'try') promised.tags.get(what)?.add(digest);
  else promised.tags.set(what, new Set([digest]));
}

interface Life {
  lines: number;
  delayMs: number;
}

async function killedRun(root: string, round: number, life: Life, promised: Promised): Promise<void> {
  const child = spawn(process.execPath, [writer, root, `${seed + round}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    note(promised, line);
    if (++lines === life.lines) void delay(life.delayMs).then(() => child.kill('SIGKILL'));
  }
  await ended;
  assert.equal(child.signalCode, 'SIGKILL', 'it ended by itself');
}

async function assertKept(repository: RepositoryStore, promised: Promised): Promise<void> {
  for (const digest of promised.blobs) {
    const reader = await repository.blobs.open(digest);
    assert.ok(reader, `blob ${digest}`);
    const bytes = Buffer.alloc(reader.size);
    await reader.read(bytes, 0);
    await reader.close();
    assert.equal(digestOf(bytes), digest);
  }
  for (const digest of promised.manifests) assert.ok(await repository.manifests.get(digest), `manifest ${digest}`);
  for (const [tag, allowed] of promised.tags) {
    const digest = await repository.tags.resolve(tag);
    assert.ok(digest && allowed.has(digest), `tag ${tag} is ${digest}, not one of ${[...allowed].join(', ')}`);
  }
}

async function assertWholeBlobs(root: string): Promise<number> {
  const files = await readdir(root + blobsRoot, { recursive: true, withFileTypes: true });
  const data = files.filter((file) => file.isFile() && file.name === 'data');
  for (const file of data) {
    const [hex = ''] = file.parentPath.split('/').slice(-1);
    const bytes = await readFile(join(file.parentPath, file.name));
    assert.equal(digestOf(bytes), `sha256:${hex}`, file.parentPath);
  }
  return data.length;
}

async function leftovers(root: string): Promise<string[]> {
  const files = await readdir(root + treeRoot, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  return paths.filter((path) => path.endsWith('.tmp') || path.includes('/_uploads/'));
}

test(`${rounds} killed runs lose nothing (CRASH_SEED=${seed})`, async (t) => {
  const root = await temporaryFolder(t);
  const random = seededRandom(seed);
  const promised: Promised = { blobs: new Set(), manifests: new Set(), tags: new Map() };
  const driver = createFilesystemDriver({ rootDirectory: root });
  for (let round = 0; round < rounds; round++) {
    const life = { lines: 1 + Math.floor(random() * mostLines), delayMs: random() * longestDelayMs };
    await killedRun(root, round, life, promised);
    await assertKept(createRegistryStore({ driver, logger }).repository('storm'), promised);
  }
  const blobs = await assertWholeBlobs(root);
  t.diagnostic(
    `${promised.blobs.size} blobs acknowledged, ${blobs} on disk, ${(await leftovers(root)).length} left over`,
  );
  assert.ok(promised.blobs.size > 0);

  const purger = createUploadPurger({ driver, logger, ageMs: 0, dryRun: false });
  await purger.purge(new AbortController().signal);
  assert.deepEqual(await leftovers(root), []);
});
