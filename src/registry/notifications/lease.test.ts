import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '#test/support/eventually.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { takeLease } from './lease.ts';

const elsewhere = { place: 'elsewhere', pid: process.pid };
/** Larger than any that Linux gives. */
const noPid = 2 ** 22 + 1;

test('a folder has one owner, until it is given back', async (t) => {
  const folder = await temporaryFolder(t);
  const contenders = await Promise.all([1, 2, 3].map((n) => takeLease(folder, { self: { place: `${n}`, pid: n } })));
  const [lease, ...others] = contenders.filter((won) => won !== undefined);
  assert.equal(others.length, 0);
  await lease?.release();
  assert.deepEqual(await readdir(folder), []);
});

test('an owner that is known to have ended loses the folder at once, another one when it has been silent', async (t) => {
  const folder = await temporaryFolder(t);
  const { place } = JSON.parse(await ownerOf(folder)) as { place: string };
  const dead = await takeLease(folder, { self: { place, pid: noPid } });
  assert.equal(await takeLease(folder, { self: elsewhere }), undefined);
  const next = await takeLease(folder);
  assert.equal(await takeLease(folder, { self: elsewhere }), undefined);
  await utimes(join(folder, 'owner'), 0, 0);
  const last = await takeLease(folder, { self: elsewhere });
  assert.ok(dead && next && last);
  await next.release();
  await dead.release();
  assert.equal(await takeLease(folder), undefined);
  await last.release();
});

test('of many who want the folder of an owner that has been silent one gets it, and the others are told', async (t) => {
  const folder = await temporaryFolder(t);
  for (let round = 0; round < 20; round++) {
    const silent = await takeLease(folder, { self: elsewhere });
    await utimes(join(folder, 'owner'), 0, 0);
    const contenders = [1, 2, 3, 4].map((n) => takeLease(folder, { self: { place: `${n}`, pid: n } }));
    const won = (await Promise.all(contenders)).filter((lease) => lease !== undefined);
    const held = await Promise.all(won.map((lease) => lease.isHeld()));
    assert.equal(held.filter(Boolean).length, 1);
    for (const lease of won) await lease.release();
    await silent?.release();
    assert.deepEqual(await readdir(folder), []);
  }
});

async function ownerOf(folder: string): Promise<string> {
  const lease = await takeLease(folder);
  const content = await readFile(join(folder, 'owner'), 'utf8');
  await lease?.release();
  return content;
}

test('a sign of life that comes late is not given in the place of another owner', async (t) => {
  const folder = await temporaryFolder(t);
  const owner = join(folder, 'owner');
  for (let round = 0; round < 20; round++) {
    // Signs all the time, so that one is under way at any moment.
    const late = await takeLease(folder, { self: elsewhere, staleMs: 1 });
    await delay(3);
    await writeFile(join(folder, 'new'), 'another');
    await rename(join(folder, 'new'), owner);
    await delay(3);
    assert.equal(await readFile(owner, 'utf8'), 'another', `round ${round}`);
    assert.equal(await late?.isHeld(), false);
    await late?.release();
    assert.equal(await readFile(owner, 'utf8'), 'another');
    await rm(owner);
  }
});

test('an owner gives signs of life', async (t) => {
  const folder = await temporaryFolder(t);
  const lease = await takeLease(folder, { self: elsewhere, staleMs: 300 });
  await utimes(join(folder, 'owner'), 0, 0);
  await eventually(async () => assert.ok((await stat(join(folder, 'owner'))).mtimeMs > 0));
  assert.equal(await takeLease(folder), undefined);
  await lease?.release();
});
