#!/usr/bin/env node
/**
 * The one entry point of the image and of `npx registry`: the first word picks the program.
 * Each program is imported only when it is asked for, so that the registry never pays for the operator's start-up.
 */
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { abortOnSignals } from '#shared/lifecycle.ts';

type Program = (argv: string[], env: NodeJS.ProcessEnv, signal: AbortSignal) => Promise<number>;

const programs: Record<string, () => Promise<{ main: Program }>> = {
  registry: () => import('#registry/main.ts'),
  operator: () => import('#operator/main.ts'),
  'mirror-agent': () => import('#mirror-agent/main.ts'),
};

/**
 * Node's four threads for file operations are one push: a sync holds a thread for as long as the disk takes. With sixteen, sixteen
 * pushes at once took between a quarter and four fifths of the time. Read by libuv at the first such operation, so set before any.
 */
process.env['UV_THREADPOOL_SIZE'] ??= '16';

/** What V8 made of the programs when they were bundled by this version of Node (scripts/lib/compile-cache.ts); it is only read. */
const compiled = join(import.meta.dirname, 'compiled', process.version);
if (existsSync(compiled)) enableCompileCache({ directory: compiled, portable: true });

/** `registry:2` and `registry:3` images are started as `<image> serve config.yml`: those words work here too. */
const registryCommands = new Set(['serve', 'garbage-collect', 'scrub', '--version', '-v', 'help', '--help', '-h']);

const usage = `Usage:
  registry serve [config.yml]
  registry garbage-collect [--dry-run] [--delete-untagged] [config.yml]
  registry scrub [--dry-run] [--quiet] [config.yml]
  operator [--help]
  mirror-agent [--help]
`;

/** The words of `registry:3`'s entry point, which takes `config.yml`, `serve config.yml` and `registry serve config.yml`. */
function wordsOf(argv: string[]): string[] {
  const [word = ''] = argv;
  if (/\.ya?ml$/.test(word)) return ['registry', 'serve', ...argv];
  return registryCommands.has(word) ? ['registry', ...argv] : argv;
}

async function run(argv: string[]): Promise<number> {
  const [name = '', ...args] = wordsOf(argv);
  const load = programs[name];
  if (!load) {
    process.stderr.write(name ? `unknown program "${name}"\n${usage}` : usage);
    return 2;
  }
  const { main } = await load();
  return main(args, process.env, abortOnSignals());
}

process.exitCode = await run(process.argv.slice(2));
