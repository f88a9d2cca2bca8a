import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Field, Keys } from './fields.ts';
import { schema } from './schema.ts';

/** Spellings that distribution keeps for the configurations of earlier versions; the example shows today's. */
const earlier = ['loglevel', 'layerinfo', 'ignoredmediatypes', 'validation.enabled'];

/** The path of each key that the registry can do something with. */
function paths(field: Field, path = ''): string[] {
  if (field.kind === 'unsupported') return [];
  if (field.kind === 'optional') return [path, ...paths(field.section, path)];
  if (field.kind === 'list') return field.of.kind === 'section' ? paths(field.of, path) : [path];
  if (field.kind !== 'section') return [path];
  const keys: Keys = field.keys;
  return Object.entries(keys).flatMap(([key, below]) => paths(below, path === '' ? key : `${path}.${key}`));
}

/** What stands below a key of the top level, commented out or not. */
function block(example: string, key: string): string {
  return new RegExp(`^(?:# )?${key}:.*(?:\\n(?!(?:# )?[a-z]+:).*)*`, 'm').exec(example)?.[0] ?? '';
}

test('examples/config.yml names each key that the registry knows', () => {
  const example = readFileSync(new URL('../../../examples/config.yml', import.meta.url), 'utf8');
  const unnamed = paths(schema).filter((path) => {
    const [top = '', ...below] = path.split('.');
    return !new RegExp(`\\b${below.at(-1) ?? top}:`).test(block(example, top));
  });
  assert.deepEqual(
    unnamed.filter((path) => !earlier.some((key) => path.endsWith(key))),
    [],
  );
});
