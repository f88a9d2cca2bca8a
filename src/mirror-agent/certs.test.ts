/** Scan, plan and execute together, on real directories. */
import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, readdir, readFile, readlink, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { temporaryFolder } from '#test/support/temporary.ts';
import { executeCerts, type Outcome } from './certs-execute.ts';
import { planCerts, type WantedHost } from './certs-plan.ts';
import { scanCerts } from './certs-scan.ts';
import { renderHostsToml } from './hosts-toml.ts';

const registry = { namespace: 'default', name: 'kind-registry', uid: '0b1f' };
const host = 'kind-registry:5000';

function want(name: string, endpoint = 'http://10.96.0.7:5000'): WantedHost {
  return { host: name, registry, endpoint };
}

async function apply(root: string, wanted: WantedHost[]): Promise<Outcome[]> {
  return executeCerts(root, planCerts(await scanCerts(root), wanted));
}

async function kinds(root: string, wanted: WantedHost[]): Promise<string[]> {
  return planCerts(await scanCerts(root), wanted).map(({ kind }) => kind);
}

/** Every entry with its content, mode and, but for directories, the time of its last change. */
async function snapshot(root: string): Promise<Record<string, string>> {
  const entries: Record<string, string> = {};
  for (const name of await readdir(root, { recursive: true })) {
    const path = join(root, name);
    const stat = await lstat(path);
    const mode = stat.mode.toString(8);
    if (stat.isDirectory()) entries[name] = mode;
    else if (stat.isSymbolicLink()) entries[name] = `${mode} -> ${await readlink(path)}`;
    else entries[name] = `${mode} ${stat.mtimeMs} ${await readFile(path, 'latin1')}`;
  }
  return entries;
}

async function put(root: string, path: string, text: string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), text);
  await utimes(join(root, path), 1_000_000_000, 1_000_000_000);
}

test('a host is created, kept, changed and removed', async (t) => {
  const root = await temporaryFolder(t);
  await apply(root, [want(host)]);
  const text = await readFile(join(root, host, 'hosts.toml'), 'utf8');
  assert.equal(text, renderHostsToml({ ...want(host), directory: 'created' }));
  assert.equal((await lstat(join(root, host))).mode & 0o777, 0o755);
  assert.equal((await lstat(join(root, host, 'hosts.toml'))).mode & 0o777, 0o644);
  assert.deepEqual(await kinds(root, [want(host)]), ['keep']);

  await apply(root, [want(host, 'http://10.96.0.8:5000')]);
  assert.match(await readFile(join(root, host, 'hosts.toml'), 'utf8'), /10\.96\.0\.8/);

  await apply(root, []);
  assert.deepEqual(await readdir(root), []);
});

test('an edited file is made again, and the origin of the directory is remembered', async (t) => {
  const root = await temporaryFolder(t);
  await apply(root, [want(host)]);
  const path = join(root, host, 'hosts.toml');
  const text = await readFile(path, 'utf8');
  await writeFile(path, `${text}# edited\n`);
  assert.deepEqual(await kinds(root, [want(host)]), ['write']);
  await apply(root, [want(host)]);
  assert.equal(await readFile(path, 'utf8'), text);
});

test('a file of ours that was edited and is no longer wanted is left to whoever edited it', async (t) => {
  const root = await temporaryFolder(t);
  await apply(root, [want(host)]);
  await writeFile(join(root, host, 'hosts.toml'), '# edited\n', { flag: 'a' });
  const before = await snapshot(root);
  assert.deepEqual(await kinds(root, []), ['abandon']);
  await apply(root, []);
  assert.deepEqual(await snapshot(root), before);
});

test('a directory that was there before stays, with all but our file', async (t) => {
  const root = await temporaryFolder(t);
  await put(root, `${host}/ca.crt`, 'pem');
  const before = await snapshot(root);
  await apply(root, [want(host)]);
  assert.match(await readFile(join(root, host, 'hosts.toml'), 'utf8'), /directory=found/);
  await apply(root, []);
  assert.deepEqual(await snapshot(root), before);
});

test('a directory of ours stays when somebody put a file there', async (t) => {
  const root = await temporaryFolder(t);
  await apply(root, [want(host)]);
  await put(root, `${host}/ca.crt`, 'pem');
  await apply(root, []);
  assert.deepEqual(await readdir(join(root, host)), ['ca.crt']);
});

test('a directory known as ours goes although its file was removed in between', async (t) => {
  const root = await temporaryFolder(t);
  await apply(root, [want(host)]);
  await rm(join(root, host, 'hosts.toml'));
  await executeCerts(root, planCerts(await scanCerts(root), [want(host)], new Set([host])));
  await apply(root, []);
  assert.deepEqual(await readdir(root), []);
});

const foreign: [string, (root: string) => Promise<void>, string][] = [
  ['a file', (root) => put(root, `${host}/hosts.toml`, 'server = "https://example.com"\n'), `${host}/hosts.toml`],
  ['an empty file', (root) => put(root, `${host}/hosts.toml`, ''), `${host}/hosts.toml`],
  ['a long file', (root) => put(root, `${host}/hosts.toml`, 'x'.repeat(100_000)), `${host}/hosts.toml`],
  ['a directory in its place', (root) => put(root, `${host}/hosts.toml/x`, ''), `${host}/hosts.toml`],
  ['a file in place of the directory', (root) => put(root, host, 'x'), host],
  [
    'a symbolic link to a directory',
    async (root) => {
      await put(root, 'elsewhere/hosts.toml', 'x');
      await symlink('elsewhere', join(root, host));
    },
    host,
  ],
  ['a dangling symbolic link', (root) => symlink('nowhere', join(root, host)), host],
];

for (const [what, make, path] of foreign) {
  test(`${what} of somebody else is left alone`, async (t) => {
    const root = await temporaryFolder(t);
    await make(root);
    const before = await snapshot(root);
    const [outcome] = await apply(root, [want(host)]);
    assert.equal(outcome?.action.kind, 'refuse');
    assert.partialDeepStrictEqual(outcome?.action, { obstacle: { kind: 'foreign', path } });
    await apply(root, []);
    assert.deepEqual(await snapshot(root), before);
  });
}

test('a link to a file of ours is no file of ours', async (t) => {
  const root = await temporaryFolder(t);
  const elsewhere = await temporaryFolder(t);
  await apply(elsewhere, [want(host)]);
  await mkdir(join(root, host));
  await symlink(join(elsewhere, host, 'hosts.toml'), join(root, host, 'hosts.toml'));
  assert.deepEqual(await kinds(root, [want(host)]), ['refuse']);
  assert.deepEqual(await kinds(root, []), []);
});

test('a directory that containerd prefers to ours is told, not touched', async (t) => {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'kind-registry_5000_'));
  await put(root, '_default/hosts.toml', 'server = "https://example.com"\n');
  const [outcome] = await apply(root, [want(host)]);
  assert.partialDeepStrictEqual(outcome?.action, { kind: 'create', shadow: 'kind-registry_5000_' });
  const [other] = await apply(root, [want('localhost:5001')]).then((all) =>
    all.filter(({ action }) => action.kind === 'create'),
  );
  assert.ok(other && !('shadow' in other.action), '_default is only for hosts that have no directory');
});

test('bad names are refused, one by one', async (t) => {
  const root = await temporaryFolder(t);
  const outcomes = await apply(root, [want('../evil'), want(host)]);
  assert.deepEqual(
    outcomes.map(({ action }) => action.kind),
    ['refuse', 'create'],
  );
  assert.deepEqual(await readdir(root), [host]);
});

test('what a crash left is removed', async (t) => {
  const root = await temporaryFolder(t);
  await apply(root, [want(host)]);
  await put(root, '.registry-operator-0011/hosts.toml', 'half');
  await put(root, `${host}/.registry-operator-2233`, 'half');
  assert.deepEqual((await kinds(root, [want(host)])).sort(), ['clean', 'clean', 'keep']);
  await apply(root, [want(host)]);
  assert.deepEqual(await readdir(root), [host]);
  assert.deepEqual(await readdir(join(root, host)), ['hosts.toml']);
});

test('an action that fails leaves nothing half done, and the others are done', async (t) => {
  const root = await temporaryFolder(t);
  const plan = planCerts(await scanCerts(root), [want(host), want('localhost:5001')]);
  await put(root, `${host}/late`, 'made between plan and execution');
  const outcomes = await executeCerts(root, plan);
  assert.deepEqual(
    outcomes.map(({ error }) => error?.code),
    ['ENOTEMPTY', undefined],
  );
  assert.deepEqual((await readdir(root)).sort(), [host, 'localhost:5001']);
  assert.deepEqual(await readdir(join(root, host)), ['late']);
});

const names = fc.constantFrom(host, 'kind-registry_5000_', 'localhost:5001', '_default', 'docker.io', 'b.example:1');
const others = fc.constantFrom('hosts.toml', 'ca.crt', 'x.cert', '.hidden');
const tree = fc.dictionary(names, fc.dictionary(others, fc.string(), { maxKeys: 3 }), { maxKeys: 4 });
const hosts = fc.uniqueArray(fc.constantFrom(host, 'localhost:5001', 'docker.io', 'c.example:9', '../x'));

async function plant(root: string, planted: Record<string, Record<string, string>>): Promise<void> {
  for (const [directory, files] of Object.entries(planted)) {
    await mkdir(join(root, directory));
    for (const [file, text] of Object.entries(files)) await put(root, `${directory}/${file}`, text);
    await chmod(join(root, directory), 0o750);
  }
}

/** Runs `body` on a new folder for each sample. */
async function forAll(t: TestContext, body: (root: string, wanted: WantedHost[]) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder(t);
  let sample = 0;
  await fc.assert(
    fc.asyncProperty(tree, hosts, async (planted, wanted) => {
      const root = join(folder, `${sample++}`);
      await mkdir(root);
      await plant(root, planted);
      await body(
        root,
        wanted.map((name) => want(name)),
      );
    }),
    { numRuns: 60 },
  );
}

test('whatever is there: executed and planned again, nothing is left to do', async (t) => {
  await forAll(t, async (root, wanted) => {
    const outcomes = await apply(root, wanted);
    assert.deepEqual(
      outcomes.filter(({ error }) => error),
      [],
    );
    assert.deepEqual(
      (await kinds(root, wanted)).filter((kind) => kind !== 'keep' && kind !== 'refuse'),
      [],
    );
  });
});

test('whatever was there: when no host is wanted any more, all is as it was', async (t) => {
  await forAll(t, async (root, wanted) => {
    const before = await snapshot(root);
    await apply(root, wanted);
    await apply(root, wanted.slice(1));
    await apply(root, []);
    assert.deepEqual(await snapshot(root), before);
  });
});
