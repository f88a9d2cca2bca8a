/** Reads a decoded YAML tree by the table, collecting every problem instead of stopping at the first. */
import type { Field, Keys, Section } from './fields.ts';

/** YAML with scalars left as text. */
export type Tree = string | Tree[] | { [key: string]: Tree };

export type Mapping = { [key: string]: Tree };

export function isMapping(tree: Tree | undefined): tree is Mapping {
  return typeof tree === 'object' && !Array.isArray(tree);
}

/** Plain scalars that YAML reads as null; Go leaves such a key at its default. */
export function isNull(tree: Tree | undefined): boolean {
  return tree === undefined || tree === '' || tree === '~' || tree === 'null' || tree === 'Null' || tree === 'NULL';
}

/** Nothing in it, at any depth: `proxy:`, `proxy: {}` and `notifications: {endpoints: []}` ask for nothing. */
function isEmpty(tree: Tree | undefined): boolean {
  if (tree === undefined || typeof tree === 'string') return isNull(tree);
  return Object.values(tree).every((value) => isEmpty(value));
}

/** A `Value` of the field, always; with what is wrong replaced by its default. */
export function read(field: Field, tree: Tree | undefined, path: string, problems: string[]): unknown {
  switch (field.kind) {
    case 'scalar':
      return readScalar(field.fallback, field.parse, tree, path, problems);
    case 'section':
      return readSection(field, tree, path, problems);
    case 'optional':
      return tree === undefined ? undefined : readSection(field.section, tree, path, problems);
    case 'list':
      return readList(field.of, tree, path, problems);
    case 'dictionary':
      return readDictionary(field.of, tree, path, problems);
    case 'unsupported':
      if (!isEmpty(tree)) problems.push(`${path}: this registry does not support ${field.what} (yet)`);
      return undefined;
  }
}

function readScalar<T>(
  fallback: T,
  parse: (text: string) => T,
  tree: Tree | undefined,
  path: string,
  problems: string[],
): T {
  if (tree === undefined || isNull(tree)) return fallback;
  if (typeof tree !== 'string') {
    problems.push(`${path}: expected one value, found a ${Array.isArray(tree) ? 'list' : 'map'}`);
    return fallback;
  }
  try {
    return parse(tree);
  } catch (error) {
    problems.push(`${path}: ${(error as Error).message}, found "${tree}"`);
    return fallback;
  }
}

function readSection(section: Section<Keys>, tree: Tree | undefined, path: string, problems: string[]): unknown {
  const mapping = asMapping(section, tree);
  if (mapping === undefined) problems.push(`${path}: expected a map of ${Object.keys(section.keys).join(', ')}`);
  const given = mapping ?? {};
  for (const key of Object.keys(given)) {
    if (!Object.hasOwn(section.keys, key)) problems.push(unknownKey(section, key, path));
  }
  const below = path === '' ? '' : `${path}.`;
  return Object.fromEntries(
    Object.entries(section.keys).map(([key, field]) => [
      key,
      read(field, Object.hasOwn(given, key) ? given[key] : undefined, `${below}${key}`, problems),
    ]),
  );
}

/** `undefined` when it is none. */
export function asMapping(section: Section<Keys>, tree: Tree | undefined): Mapping | undefined {
  if (isNull(tree)) return {};
  if (isMapping(tree)) return tree;
  if (section.shorthand && typeof tree === 'string') return { [tree]: {} };
  return undefined;
}

function unknownKey(section: Section<Keys>, key: string, path: string): string {
  const known = Object.keys(section.keys);
  const known_ = known.length > 0 ? `; known here: ${known.join(', ')}` : '';
  return `${path === '' ? key : `${path}.${key}`}: unknown key${known_}`;
}

function readList(of: Field, tree: Tree | undefined, path: string, problems: string[]): unknown[] {
  if (isNull(tree)) return [];
  if (Array.isArray(tree)) return tree.map((item, index) => read(of, item, `${path}[${index}]`, problems));
  problems.push(`${path}: expected a list`);
  return [];
}

function readDictionary(of: Field, tree: Tree | undefined, path: string, problems: string[]): unknown {
  if (isNull(tree)) return {};
  if (isMapping(tree)) {
    return Object.fromEntries(
      Object.entries(tree).map(([key, value]) => [key, read(of, value, `${path}.${key}`, problems)]),
    );
  }
  problems.push(`${path}: expected a map`);
  return {};
}
