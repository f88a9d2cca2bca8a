/** Random registries against a model that is too slow to use and too simple to be wrong. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { registryTree, type DescriptorLike } from '#test/support/registry-tree.ts';
import { collect } from './collect.ts';
import { directRemover } from './direct-remover.ts';
import { runNow } from './volume.ts';
import { synchronousVolume } from './synchronous-volume.ts';

/** One manifest: it refers to blobs by their number, and to manifests that came before it in its repository. */
const manifestShape = fc.record({
  blobs: fc.array(fc.nat(5), { maxLength: 3 }),
  children: fc.array(fc.nat(7), { maxLength: 2 }),
  subject: fc.option(fc.nat(7), { nil: undefined }),
  deleted: fc.boolean(),
});

const repositoryShape = fc.record({
  manifests: fc.array(manifestShape, { maxLength: 7 }),
  tags: fc.array(
    fc.record({
      target: fc.nat(7),
      after: fc.option(fc.nat(7), { nil: undefined }),
      suffix: fc.constantFrom('', '.sig'),
    }),
    { maxLength: 4 },
  ),
  links: fc.array(fc.nat(5), { maxLength: 4 }),
});

type RepositoryShape = typeof repositoryShape extends fc.Arbitrary<infer T> ? T : never;

interface ModelManifest {
  digest: string;
  blobs: string[];
  children: string[];
  subject: string | undefined;
  present: boolean;
}

interface ModelRepository {
  manifests: ModelManifest[];
  tags: Map<string, string>;
  links: Set<string>;
}

function build(
  root: string,
  shapes: RepositoryShape[],
): { tree: ReturnType<typeof registryTree>; model: ModelRepository[] } {
  const tree = registryTree(root);
  const blobs = [0, 1, 2, 3, 4, 5].map((i) => tree.blob(`blob ${i}`));
  const model = shapes.map((shape, r) => buildRepository(tree, `repository-${r}`, shape, blobs));
  return { tree, model };
}

function buildRepository(
  tree: ReturnType<typeof registryTree>,
  name: string,
  shape: RepositoryShape,
  blobs: DescriptorLike[],
): ModelRepository {
  const made: (DescriptorLike & { model: ModelManifest })[] = [];
  for (const [i, { blobs: wanted, children, subject, deleted }] of shape.manifests.entries()) {
    const layers = wanted.flatMap((at) => blobs[at] ?? []);
    const manifests = children.flatMap((at) => made[at] ?? []).map(({ digest, size }) => ({ digest, size }));
    const about = subject === undefined ? undefined : made[subject];
    const descriptor = tree.manifest(name, {
      ...(manifests.length > 0 ? { manifests } : { layers }),
      ...(about ? { subject: { digest: about.digest, size: about.size } } : {}),
      annotations: { number: `${name} ${i}` },
    });
    if (deleted) tree.deleteRevision(name, descriptor.digest);
    const model: ModelManifest = {
      digest: descriptor.digest,
      blobs: manifests.length > 0 ? [] : layers.map(({ digest }) => digest),
      children: manifests.map(({ digest }) => digest),
      subject: about?.digest,
      present: !deleted,
    };
    made.push({ ...descriptor, model });
  }
  const tags = new Map<string, string>();
  for (const [i, { target, after, suffix }] of shape.tags.entries()) {
    const about = after === undefined ? undefined : made[after];
    const to = made[target];
    if (to) tags.set(about ? `sha256-${about.digest.slice(7)}${suffix}` : `v${i}`, to.digest);
  }
  for (const [tag, digest] of tags) tree.tag(name, tag, digest);
  const links = new Set(shape.links.flatMap((at) => blobs[at]?.digest ?? []));
  for (const digest of links) tree.layerLink(name, digest);
  return { manifests: made.map(({ model }) => model), tags, links };
}

/** The rules of reachability.ts, applied until nothing changes. */
function liveOf(repository: ModelRepository, deleteUntagged: boolean): Set<string> {
  const present = repository.manifests.filter((manifest) => manifest.present);
  if (!deleteUntagged) return new Set(present.map(({ digest }) => digest));
  const ever = new Set(repository.manifests.map(({ digest }) => digest));
  const live = new Set<string>();
  const subjectOf = (tag: string): string | undefined =>
    tag.startsWith('sha256-') ? `sha256:${tag.slice(7, 71)}` : undefined;
  for (;;) {
    const before = live.size;
    for (const [tag, target] of repository.tags) {
      const subject = subjectOf(tag);
      if (subject === undefined || !ever.has(subject) || live.has(subject)) live.add(target);
    }
    for (const manifest of present) {
      if (manifest.subject !== undefined && live.has(manifest.subject)) live.add(manifest.digest);
      if (live.has(manifest.digest)) for (const child of manifest.children) live.add(child);
    }
    if (live.size === before) return live;
  }
}

function expectedFiles(model: ModelRepository[], deleteUntagged: boolean): { files: Set<string>; blobs: Set<string> } {
  const files = new Set<string>();
  const kept = new Set<string>();
  for (const [r, repository] of model.entries()) {
    const base = `repositories/repository-${r}`;
    const live = liveOf(repository, deleteUntagged);
    const mine = new Set(live);
    for (const manifest of repository.manifests) {
      if (!manifest.present || !live.has(manifest.digest)) continue;
      files.add(`${base}/_manifests/revisions/${manifest.digest.replace(':', '/')}/link`);
      for (const digest of [...manifest.blobs, ...manifest.children]) mine.add(digest);
    }
    for (const digest of repository.links)
      if (mine.has(digest)) files.add(`${base}/_layers/${digest.replace(':', '/')}/link`);
    for (const [tag, target] of repository.tags) {
      if (!deleteUntagged || live.has(target) || !tag.startsWith('sha256-'))
        files.add(`${base}/_manifests/tags/${tag}/current/link`);
    }
    for (const digest of mine) kept.add(digest);
  }
  return { files, blobs: kept };
}

test('keeps exactly what the model keeps', () => {
  fc.assert(
    fc.property(fc.array(repositoryShape, { maxLength: 3 }), fc.boolean(), (shapes, deleteUntagged) => {
      const root = mkdtempSync(join(tmpdir(), 'registry-operator-'));
      try {
        const { tree, model } = build(root, shapes);
        const existing = tree.files().filter((file) => file.startsWith('blobs/'));
        const expected = expectedFiles(model, deleteUntagged);
        for (const digest of expected.blobs) {
          const file = tree.blobPath(digest);
          if (existing.includes(file)) expected.files.add(file);
        }
        const volume = synchronousVolume(root);
        const options = { volume, deleteUntagged, minimumAgeMs: 0, now: Date.now(), remover: directRemover(volume) };
        const { removed, plan } = runNow(collect(options));
        const left = () => tree.files().filter((file) => !file.includes('/index/'));
        assert.deepEqual(left(), [...expected.files].toSorted());
        assert.deepEqual([...plan.problems, ...(removed?.problems ?? [])], []);
        const again = runNow(collect(options));
        assert.deepEqual(left(), [...expected.files].toSorted(), 'a second run finds nothing more');
        assert.equal((again.removed?.blobs ?? 0) + (again.removed?.manifests ?? 0) + (again.removed?.layers ?? 0), 0);
      } finally {
        rmSync(root, { recursive: true, force: true });
      }
    }),
    { numRuns: 300 },
  );
});
