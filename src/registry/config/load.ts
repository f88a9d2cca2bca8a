/** The file and the environment in, the configuration out; the only place that reads either of them. */
import { readFile } from 'node:fs/promises';
import { checkRules } from './rules.ts';
import { overlayEnvironment } from './environment.ts';
import { isMapping, read, type Tree } from './read.ts';
import { schema, type Configuration } from './schema.ts';
import { parseYaml } from './yaml.ts';

/** The configuration can't be used; the message lists everything that is wrong with it. */
export class ConfigurationError extends Error {
  constructor(source: string, problems: string[], cause?: unknown) {
    const lines = problems.map((problem) => `  ${problem}`).join('\n');
    super(`the configuration can't be used (${source}):\n${lines}`, cause === undefined ? undefined : { cause });
    this.name = 'ConfigurationError';
  }
}

export interface LoadedConfiguration {
  configuration: Configuration;
  /** For the log, once there is one. */
  warnings: string[];
}

export type Environment = Record<string, string | undefined>;

/** Throws a ConfigurationError that lists all problems. */
export async function loadConfiguration(file: string, env: Environment): Promise<LoadedConfiguration> {
  let source: string;
  try {
    source = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigurationError(file, [`the file can't be read: ${(error as Error).message}`], error);
  }
  return parseConfiguration(source, env, file);
}

export function parseConfiguration(source: string, env: Environment, name = 'config.yml'): LoadedConfiguration {
  const file = parseFile(source, name);
  const { tree, warnings, problems } = overlayEnvironment(schema, file, env);
  const configuration = read(schema, tree, '', problems) as Configuration;
  problems.push(...checkRules(configuration));
  if (problems.length > 0) throw new ConfigurationError(name, problems);
  return { configuration, warnings: [...warnings, ...tracingWarnings(env)] };
}

/** Distribution sends traces to where OpenTelemetry's variables say; in its images the exporter is `none`. */
function tracingWarnings({ OTEL_TRACES_EXPORTER: exporter = '' }: Environment): string[] {
  if (exporter === '' || exporter === 'none') return [];
  return [`ignoring OTEL_TRACES_EXPORTER=${exporter}: this registry sends no traces (yet)`];
}

function parseFile(source: string, name: string): Tree {
  try {
    const tree = parseYaml(source);
    if (isMapping(tree) || tree === '') return tree;
  } catch (error) {
    throw new ConfigurationError(name, [`not YAML: ${(error as Error).message}`], error);
  }
  throw new ConfigurationError(name, ['expected a map that starts with "version: 0.1"']);
}
