import { FAILSAFE_SCHEMA, load, mergeTag } from 'js-yaml';
import type { Tree } from './read.ts';

// Scalars stay text (see fields.ts), `<<` merges as in the YAML 1.1 that distribution reads.
const schema = FAILSAFE_SCHEMA.withTags(mergeTag);

/** Throws js-yaml's YAMLException, whose message names line and column. */
export function parseYaml(source: string): Tree {
  if (/^\s*$/.test(source)) return '';
  return load(source, { schema, maxAliases: 1000 }) as Tree;
}
