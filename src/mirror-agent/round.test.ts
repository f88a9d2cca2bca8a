import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#shared/clock.ts';
import { createLogger } from '#shared/logger.ts';
import type { Mirror } from '#shared/node-mirrors.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { createChooser } from './chooser.ts';
import { createRounds, type Rounds } from './round.ts';

const registry = { namespace: 'default', name: 'kind-registry', uid: '0b1f' };
const { signal } = new AbortController();
const host = 'kind-registry:5000';
const mirror = (...endpoints: string[]): Mirror => ({ host, registry, endpoints });

/** Rounds with addresses that answer as `answering` says. */
function roundsIn(certsDirectory: string, answering: Set<string>): Rounds {
  return createRounds({
    certsDirectory,
    nodeIP: '127.0.0.1',
    choose: createChooser({
      probe: async (endpoint) => (answering.has(endpoint) ? undefined : 'connection refused'),
      clock: systemClock,
      doubtMs: 0,
    }),
    log: createLogger({ level: 'silent' }),
  });
}

const serverIn = async (root: string): Promise<string | undefined> =>
  /^server = "(.*)"$/m.exec(await readFile(join(root, host, 'hosts.toml'), 'utf8'))?.[1];

test('the first address that answers is written; the last good one stays when none does', async (t) => {
  const root = await temporaryFolder(t);
  const answering = new Set(['http://b']);
  const rounds = roundsIn(root, answering);
  const all = [mirror('http://a', 'http://b')];
  assert.deepEqual(await rounds.run(all, signal), [{ host, registry, state: 'Configured', endpoint: 'http://b' }]);
  answering.clear();
  assert.deepEqual(await rounds.run(all, signal), [
    {
      host,
      registry,
      state: 'Unreachable',
      endpoint: 'http://b',
      message: 'http://a: connection refused; http://b: connection refused',
    },
  ]);
  assert.equal(await serverIn(root), 'http://b');
  answering.add('http://a');
  await rounds.run(all, signal);
  assert.equal(await serverIn(root), 'http://a');
});

test('an agent that is started anew finds its choice in the file', async (t) => {
  const root = await temporaryFolder(t);
  await roundsIn(root, new Set(['http://b'])).run([mirror('http://a', 'http://b')], signal);
  const path = join(root, host, 'hosts.toml');
  const before = await readFile(path, 'utf8');
  await roundsIn(root, new Set()).run([mirror('http://a', 'http://b')], signal);
  assert.equal(await readFile(path, 'utf8'), before);
});

test('a directory whose file was removed is still known as ours', async (t) => {
  const root = await temporaryFolder(t);
  const rounds = roundsIn(root, new Set(['http://a']));
  await rounds.run([mirror('http://a')], signal);
  await rm(join(root, host, 'hosts.toml'));
  await rounds.run([mirror('http://a')], signal);
  await rounds.run([], signal);
  assert.deepEqual(await readdir(root), []);
});

test('each way to fail is a state with words, and never an exception', async (t) => {
  const root = await temporaryFolder(t);
  const [missing] = await roundsIn(join(root, 'missing'), new Set()).run([mirror('http://a')], signal);
  assert.equal(missing?.state, 'Failed');
  assert.match(missing?.message ?? '', /missing could not be read: it is not there \(ENOENT\)/);

  await mkdir(join(root, host));
  await writeFile(join(root, host, 'hosts.toml'), 'x');
  const [conflict] = await roundsIn(root, new Set()).run([mirror('http://a')], signal);
  assert.equal(conflict?.state, 'Conflict');
  assert.ok(conflict?.message?.startsWith(`${root}/${host}/hosts.toml is a file of somebody else`));
  await rm(join(root, host), { recursive: true });

  await mkdir(join(root, 'kind-registry_5000_'));
  const [shadowed] = await roundsIn(root, new Set(['http://a'])).run([mirror('http://a')], signal);
  assert.equal(shadowed?.state, 'Ineffective');
  assert.match(shadowed?.message ?? '', /kind-registry_5000_.*remove that directory/);

  const [bad] = await roundsIn(root, new Set()).run([{ ...mirror('http://a'), host: '../x' }], signal);
  assert.equal(bad?.state, 'Failed');
});

test('a file of ours that was edited when nobody wants it any more is a conflict', async (t) => {
  const root = await temporaryFolder(t);
  const rounds = roundsIn(root, new Set(['http://a']));
  await rounds.run([mirror('http://a')], signal);
  await writeFile(join(root, host, 'hosts.toml'), '# mine now\n', { flag: 'a' });
  const [left] = await rounds.run([], signal);
  assert.equal(left?.state, 'Conflict');
  assert.match(left?.message ?? '', /remove it by hand/);
});

test('a long message is cut to what the schema takes', async (t) => {
  const root = await temporaryFolder(t);
  const endpoints = Array.from({ length: 40 }, (_, index) => `http://10.0.0.${index}:5000`);
  const [report] = await roundsIn(root, new Set()).run([mirror(...endpoints)], signal);
  assert.equal(report?.message?.length, 1024);
});

test('a file system that takes no files is a failure of each host', async () => {
  const [report] = await roundsIn('/proc/self/fdinfo', new Set()).run([mirror('http://a')], signal);
  assert.equal(report?.state, 'Failed');
  assert.match(report?.message ?? '', /^\/proc\/self\/fdinfo\/kind-registry:5000\/hosts.toml could not be written: /);
});
