/**
 * `REGISTRY_*` variables over the tree of the file, as distribution's parser lays them: the path in upper case joined by
 * `_`, values parsed as YAML, list elements by their index (the next index appends), variables in the order of their names,
 * so that REGISTRY_STORAGE comes before REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY.
 * Source: distribution, configuration/parser.go.
 */
import type { Field, Keys, Section } from './fields.ts';
import { asMapping, isMapping, isNull, type Mapping, type Tree } from './read.ts';
import { parseYaml } from './yaml.ts';

const prefix = 'REGISTRY_';

/** Names that the program itself reads; they are no paths. */
const reserved = new Set(['REGISTRY_CONFIGURATION_PATH']);

export interface Overlay {
  tree: Tree;
  /** A name that leads nowhere is only warned about: Kubernetes sets such names for a Service called "registry". */
  warnings: string[];
  problems: string[];
}

export function overlayEnvironment(schema: Field, tree: Tree, env: Record<string, string | undefined>): Overlay {
  const overlay: Overlay = { tree, warnings: [], problems: [] };
  const names = Object.keys(env).filter((name) => name.startsWith(prefix) && !reserved.has(name));
  // The order of bytes, not of the locale.
  for (const name of names.sort((a, b) => (a < b ? -1 : 1))) {
    const path = name.slice(prefix.length).split('_');
    try {
      const value = parseYaml(env[name] ?? '');
      const laid = path[0] === 'VERSION' ? undefined : lay(schema, overlay.tree, path, value);
      if (laid === undefined) overlay.warnings.push(`ignoring the variable ${name}: it names no configuration key`);
      else overlay.tree = laid;
    } catch (error) {
      overlay.problems.push(`${name}: ${(error as Error).message}`);
    }
  }
  return overlay;
}

/** A copy of `tree` with `value` at `path`; `undefined` when the path leads to no key. */
function lay(field: Field, tree: Tree | undefined, path: string[], value: Tree): Tree | undefined {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  switch (field.kind) {
    case 'scalar':
      return undefined;
    case 'section':
      return laySection(field, tree, head, rest, value);
    case 'optional':
      return laySection(field.section, tree, head, rest, value);
    case 'dictionary':
      return layKey(isMapping(tree) ? tree : {}, keyIn(tree, head) ?? head.toLowerCase(), field.of, rest, value);
    case 'list':
      return layElement(field.of, Array.isArray(tree) ? tree : [], head, rest, value);
    case 'unsupported':
      // Whatever the depth, the section is refused by its name when the tree is read.
      return field.keys.some((key) => key.toUpperCase() === head) ? { [head.toLowerCase()]: value } : undefined;
  }
}

function laySection(section: Section<Keys>, tree: Tree | undefined, head: string, rest: string[], value: Tree) {
  const mapping = asMapping(section, tree) ?? {};
  const key = Object.keys(section.keys).find((name) => name.toUpperCase() === head);
  if (key !== undefined) return layKey(mapping, key, section.keys[key] as Field, rest, value);
  // In a free map the name becomes a key, and the reader of the tree then refuses it as it does one in the file.
  return section.open ? { ...mapping, [head.toLowerCase()]: value } : undefined;
}

function layKey(mapping: Mapping, key: string, field: Field, rest: string[], value: Tree): Tree | undefined {
  const below = Object.hasOwn(mapping, key) && !isNull(mapping[key]) ? mapping[key] : undefined;
  const laid = lay(field, below, rest, value);
  return laid === undefined ? undefined : { ...mapping, [key]: laid };
}

function layElement(of: Field, list: Tree[], head: string, rest: string[], value: Tree): Tree | undefined {
  const index = /^\d+$/.test(head) ? Number(head) : Number.NaN;
  if (Number.isNaN(index)) throw new Error(`expected the index of a list element, found "${head}"`);
  if (index > list.length) throw new Error(`the list has ${list.length} elements, the next index is ${list.length}`);
  const laid = lay(of, list[index], rest, value);
  return laid === undefined ? undefined : list.toSpliced(index, 1, laid);
}

function keyIn(tree: Tree | undefined, upper: string): string | undefined {
  return isMapping(tree) ? Object.keys(tree).find((key) => key.toUpperCase() === upper) : undefined;
}
