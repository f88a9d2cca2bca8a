import { existsSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { registryTree, type RegistryTree } from '#test/support/registry-tree.ts';
import { temporaryFolder } from '#test/support/temporary.ts';
import { collect, type Collection } from './collect.ts';
import { markLines } from './lines.ts';
import { directRemover } from './direct-remover.ts';
import { runNow } from './volume.ts';
import { synchronousVolume } from './synchronous-volume.ts';

const minute = 60_000;

interface Options {
  deleteUntagged?: boolean;
  minimumAgeMs?: number;
  dryRun?: boolean;
  print?: (line: string) => void;
}

function collectTree(tree: RegistryTree, options: Options = {}): Collection {
  const volume = synchronousVolume(tree.root);
  const { print } = options;
  return runNow(
    collect({
      volume,
      deleteUntagged: options.deleteUntagged ?? false,
      minimumAgeMs: options.minimumAgeMs ?? 0,
      now: Date.now(),
      ...(options.dryRun ? {} : { remover: directRemover(volume) }),
      ...(print ? { print, observer: markLines(print) } : {}),
    }),
  );
}

async function newTree(t: TestContext): Promise<RegistryTree> {
  return registryTree(await temporaryFolder(t));
}

/** An image with a config and one layer of its own, linked. */
function image(tree: RegistryTree, repository: string, name: string, more: object = {}) {
  const config = tree.blob(`config of ${name}`);
  const layer = tree.blob(`layer of ${name}`);
  tree.layerLink(repository, config.digest);
  tree.layerLink(repository, layer.digest);
  return { config, layer, manifest: tree.manifest(repository, { config, layers: [layer], ...more }) };
}

function has(tree: RegistryTree, digest: string): boolean {
  return existsSync(tree.path(tree.blobPath(digest)));
}

test('removes blobs and layer links that no manifest names, and keeps the rest', async (t) => {
  const tree = await newTree(t);
  const kept = image(tree, 'app', 'kept');
  tree.tag('app', 'v1', kept.manifest.digest);
  const before = tree.files();
  const loose = tree.blob('loose');
  tree.layerLink('app', loose.digest);
  const { removed } = collectTree(tree);
  assert.deepEqual(tree.files(), before);
  assert.equal(removed?.blobs, 1);
  assert.equal(removed.layers, 1);
  assert.equal(removed.bytes, loose.size);
});

test('prints the lines of distribution', async (t) => {
  const tree = await newTree(t);
  const { config, layer, manifest } = image(tree, 'app', 'one');
  const old = image(tree, 'app', 'old');
  tree.tag('app', 'v1', old.manifest.digest);
  tree.tag('app', 'v1', manifest.digest);
  const lines: string[] = [];
  collectTree(tree, { deleteUntagged: true, dryRun: true, print: (line) => lines.push(line) });
  assert.deepEqual(lines.slice(0, 6), [
    'app',
    `app: marking manifest ${manifest.digest} `,
    `app: marking blob ${config.digest}`,
    `app: marking blob ${layer.digest}`,
    `manifest eligible for deletion: {app ${old.manifest.digest} [v1]}`,
    '',
  ]);
  assert.equal(lines[6], '3 blobs marked, 3 blobs and 1 manifests eligible for deletion');
  const gone = [old.manifest, old.config, old.layer].map(({ digest }) => `blob eligible for deletion: ${digest}`);
  assert.deepEqual(lines.slice(7, 10).toSorted(), gone.toSorted());
});

test('a dry run changes nothing', async (t) => {
  const tree = await newTree(t);
  tree.blob('loose');
  const before = tree.files();
  const { plan, removed } = collectTree(tree, { dryRun: true });
  assert.equal(plan.blobs.length, 1);
  assert.equal(removed, undefined);
  assert.deepEqual(tree.files(), before);
});

test('what is younger than the minimum age stays', async (t) => {
  const tree = await newTree(t);
  const old = tree.blob('old');
  tree.layerLink('app', old.digest);
  tree.age(10 * minute);
  const young = tree.blob('young');
  const mounted = tree.blob('mounted a moment ago');
  tree.age(10 * minute);
  tree.layerLink('app', mounted.digest);
  const untagged = image(tree, 'app', 'untagged');
  writeFileSync(tree.path(tree.blobPath(young.digest)), 'young');
  collectTree(tree, { deleteUntagged: true, minimumAgeMs: 5 * minute });
  assert.deepEqual(
    [old, young, mounted, untagged.manifest, untagged.layer].map(({ digest }) => has(tree, digest)),
    [false, true, true, true, true],
  );
});

test('an index keeps its manifests, nested ones too', async (t) => {
  const tree = await newTree(t);
  const amd64 = image(tree, 'app', 'amd64');
  const arm64 = image(tree, 'app', 'arm64');
  const inner = tree.manifest('app', { manifests: [amd64.manifest] });
  const outer = tree.manifest('app', { manifests: [inner, arm64.manifest] });
  tree.tag('app', 'latest', outer.digest);
  const before = tree.files();
  const { removed } = collectTree(tree, { deleteUntagged: true });
  assert.deepEqual(tree.files(), before);
  assert.equal(removed?.manifests, 0);
});

test('referrers, fallback tags and cosign tags live and fall with their subject', async (t) => {
  const tree = await newTree(t);
  const subjects = ['alive', 'dead'].map((name) => image(tree, 'app', name));
  const [alive, dead] = subjects as [(typeof subjects)[0], (typeof subjects)[0]];
  tree.tag('app', 'v1', alive.manifest.digest);
  const attached = subjects.map(({ manifest }, i) => {
    const sbom = image(tree, 'app', `sbom ${i}`, { subject: manifest });
    const signature = image(tree, 'app', `signature of sbom ${i}`, { subject: sbom.manifest });
    const cosign = image(tree, 'app', `cosign ${i}`);
    const fallback = tree.manifest('app', { manifests: [image(tree, 'app', `listed ${i}`).manifest] });
    const hex = manifest.digest.slice('sha256:'.length);
    tree.tag('app', `sha256-${hex}.sig`, cosign.manifest.digest);
    tree.tag('app', `sha256-${hex}`, fallback.digest);
    return [sbom.manifest, signature.manifest, signature.layer, cosign.manifest, cosign.layer, fallback];
  });
  const { removed } = collectTree(tree, { deleteUntagged: true });
  assert.ok(attached[0]?.every(({ digest }) => has(tree, digest)));
  assert.ok(attached[1]?.every(({ digest }) => !has(tree, digest)));
  assert.ok(!has(tree, dead.layer.digest));
  assert.equal(removed?.tags, 2);
});

test('a signature whose subject was never in its repository stays', async (t) => {
  const tree = await newTree(t);
  const cosign = image(tree, 'signatures', 'cosign');
  tree.tag('signatures', `sha256-${'ab'.repeat(32)}.sig`, cosign.manifest.digest);
  collectTree(tree, { deleteUntagged: true });
  assert.ok(has(tree, cosign.layer.digest));
});

test('a signature falls after its subject was deleted', async (t) => {
  const tree = await newTree(t);
  const subject = image(tree, 'app', 'subject');
  const cosign = image(tree, 'app', 'cosign');
  tree.tag('app', `sha256-${subject.manifest.digest.slice(7)}.sig`, cosign.manifest.digest);
  tree.deleteRevision('app', subject.manifest.digest);
  collectTree(tree, { deleteUntagged: true });
  assert.deepEqual(tree.files(), []);
  assert.ok(!existsSync(tree.path('repositories/app')), 'and the repository with it');
});

test('the content behind the sha512 link of distribution stays, and so does sha512 content', async (t) => {
  const tree = await newTree(t);
  const stored = tree.blob('pushed by sha512');
  const alias = `sha512:${'0a'.repeat(64)}`;
  const native = tree.blob('stored as sha512', 'sha512');
  tree.layerLink('app', stored.digest);
  tree.layerLink('app', alias, stored.digest);
  tree.layerLink('app', native.digest);
  const { digest } = tree.manifest('app', { layers: [{ digest: alias, size: stored.size }, native] });
  tree.tag('app', 'v1', digest);
  const before = tree.files();
  collectTree(tree);
  assert.deepEqual(tree.files(), before);
});

test('a damaged manifest is reported and keeps all that its repository links', async (t) => {
  const tree = await newTree(t);
  const damaged = image(tree, 'app', 'damaged');
  tree.write(tree.blobPath(damaged.manifest.digest), '');
  const elsewhere = tree.blob('loose');
  const { plan, removed } = collectTree(tree, { deleteUntagged: true });
  assert.ok(has(tree, damaged.layer.digest));
  assert.ok(!has(tree, elsewhere.digest));
  assert.deepEqual(
    plan.problems.map(({ repository, subject }) => [repository, subject]),
    [['app', damaged.manifest.digest]],
  );
  assert.equal(removed?.blobs, 1);
});

test('a damaged tag keeps the untagged manifests of its repository', async (t) => {
  const tree = await newTree(t);
  const untagged = image(tree, 'app', 'untagged');
  tree.write('repositories/app/_manifests/tags/v1/current/link', '');
  const { plan } = collectTree(tree, { deleteUntagged: true });
  assert.ok(has(tree, untagged.manifest.digest));
  assert.match(plan.problems[0]?.message ?? '', /holds no digest/);
});

test('a repository without _layers, and one with uploads alone, are no obstacle', async (t) => {
  const tree = await newTree(t);
  tree.tag('plain', 'v1', tree.manifest('plain', { manifests: [] }).digest);
  tree.write('repositories/uploading/_uploads/1/data', 'partial');
  const before = tree.files();
  collectTree(tree, { deleteUntagged: true });
  assert.deepEqual(tree.files(), before);
});

test('a repository nested in a dead one stays', async (t) => {
  const tree = await newTree(t);
  image(tree, 'a', 'dead');
  const live = image(tree, 'a/b', 'live');
  tree.tag('a/b', 'v1', live.manifest.digest);
  const { removed } = collectTree(tree, { deleteUntagged: true });
  assert.equal(removed?.repositories, 1);
  assert.ok(!existsSync(tree.path('repositories/a/_manifests')));
  assert.ok(has(tree, live.layer.digest));
});

test('strangers in the tree are reported and stay', async (t) => {
  const tree = await newTree(t);
  tree.write('blobs/sha256/zz/README/data', 'mine');
  tree.write('blobs/sha256/notes.txt', 'mine');
  const { plan } = collectTree(tree);
  assert.equal(plan.problems.length, 1);
  assert.equal(tree.files().length, 2);
});
