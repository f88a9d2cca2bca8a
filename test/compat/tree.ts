/** What a registry left on disk, as a table that can be compared with another's. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { digestOf } from '#test/support/content.ts';

/** Path below `docker/registry/v2` -> the text of a link, the digest of data, `<time>`, or `folder`. */
export type Tree = Map<string, string>;

const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Upload ids are replaced by `<upload>`, since no two registries choose the same. */
export async function readTree(root: string): Promise<Tree> {
  const top = join(root, 'docker', 'registry', 'v2');
  const tree: Tree = new Map();
  for (const entry of await readdir(top, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(top, path).replaceAll(uuid, '<upload>');
    tree.set(name, entry.isDirectory() ? 'folder' : await content(path));
  }
  return tree;
}

async function content(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (path.endsWith('/link')) return bytes.toString();
  if (path.endsWith('/startedat')) return bytes.toString().replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, '<time>');
  return digestOf(bytes);
}

/** Without the state of the hash that a peer keeps of a running upload: Go's own form, of use to nobody else. */
export function withoutHashStates(tree: Tree): Tree {
  return new Map([...tree].filter(([path]) => !path.includes('/_uploads/<upload>/hashstates')));
}

/** Entries that differ, as `path: here | there`. */
export function differences(ours: Tree, theirs: Tree): string[] {
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return paths
    .filter((path) => ours.get(path) !== theirs.get(path))
    .map((path) => `${path}: ${ours.get(path) ?? 'missing'} | ${theirs.get(path) ?? 'missing'}`);
}

/** Digests of the blobs that no manifest of any repository leads to: what a garbage collection has to remove. */
export async function garbage(root: string): Promise<string[]> {
  const top = join(root, 'docker', 'registry', 'v2');
  const tree = await readTree(root);
  const reachable = new Set<string>();
  const visit = async (digest: string): Promise<void> => {
    if (reachable.has(digest)) return;
    reachable.add(digest);
    const [algorithm = '', hex = ''] = digest.split(':');
    const bytes = await readFile(join(top, 'blobs', algorithm, hex.slice(0, 2), hex, 'data'), 'utf8');
    const {
      config,
      layers = [],
      manifests = [],
    } = JSON.parse(bytes) as Partial<Record<'layers' | 'manifests', Ref[]>> & {
      config?: Ref;
    };
    for (const child of manifests) await visit(child.digest);
    for (const part of config ? [config, ...layers] : layers) reachable.add(part.digest);
  };
  for (const [path, content] of tree) {
    if (/_manifests\/revisions\/.*\/link$/.test(path)) await visit(content);
  }
  const stored = [...tree.keys()].flatMap((path) => {
    const [, algorithm, hex] = /^blobs\/([^/]+)\/..\/([^/]+)\/data$/.exec(path) ?? [];
    return algorithm && hex ? [`${algorithm}:${hex}`] : [];
  });
  return stored.filter((digest) => !reachable.has(digest)).sort();
}

interface Ref {
  digest: string;
}
