/** The registry program: its commands, as distribution's `registry` has them. Each loads only what it needs. */
import { findConfigurationFile } from '#registry/config/find-file.ts';
import { loadConfiguration, type Environment, type LoadedConfiguration } from '#registry/config/load.ts';
import { version } from '#shared/version.ts';

const usage = `Usage:
  registry serve [config.yml]                     run the registry
  registry garbage-collect [flags] [config.yml]   delete what no manifest refers to; --help names the flags
  registry scrub [flags] [config.yml]             verify every blob against its digest; --help names the flags
  registry --version                              say which version this is

Without a file, the first of these is read: $REGISTRY_CONFIGURATION_PATH, /etc/distribution/config.yml,
/etc/docker/registry/config.yml. REGISTRY_* variables override it: REGISTRY_STORAGE_DELETE_ENABLED=true.
`;

/** The exit code. */
export async function main(argv: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const [command = 'help', ...rest] = argv;
  switch (command) {
    case 'serve':
      return explained(() => serve(rest, env, signal));
    case 'garbage-collect':
      return explained(() => collectGarbage(rest, env, signal));
    case 'scrub':
      return explained(() => scrub(rest, env, signal));
    case '--version':
    case '-v':
      process.stdout.write(`registry registry-operator ${version}\n`);
      return 0;
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(usage);
      return 0;
    default:
      process.stderr.write(`unknown command "${command}"\n${usage}`);
      return 2;
  }
}

/** A failure in one paragraph, without a stack: it is the user who reads it. */
async function explained(command: () => Promise<number>): Promise<number> {
  try {
    return await command();
  } catch (error) {
    process.stderr.write(`registry: ${(error as Error).message}\n`);
    return 1;
  }
}

async function serve(args: string[], env: Environment, signal: AbortSignal): Promise<number> {
  if (args.length > 1) throw new Error(`one configuration file is expected, found ${args.join(' ')}`);
  const [server, loaded] = await Promise.all([import('./serve/serve.ts'), load(args[0], env)]);
  await server.serve(loaded, signal);
  return 0;
}

async function collectGarbage(args: string[], env: Environment, signal: AbortSignal): Promise<number> {
  const { garbageCollect, garbageCollectUsage, parseGarbageCollectFlags } = await import('#registry/gc/command.ts');
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(garbageCollectUsage);
    return 0;
  }
  const flags = parseGarbageCollectFlags(args);
  const { storage, extensions } = (await load(flags.configFile, env)).configuration;
  if (!storage.filesystem)
    throw new Error('garbage-collect needs storage.filesystem: nothing else outlives the registry');
  return garbageCollect({
    ...flags,
    rootDirectory: storage.filesystem.rootdirectory,
    minimumAgeMs: flags.minimumAgeMs ?? extensions.garbagecollection.minage,
    signal,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
  });
}

async function scrub(args: string[], env: Environment, signal: AbortSignal): Promise<number> {
  const { parseScrubFlags, scrubCommand, scrubUsage } = await import('#registry/scrub/command.ts');
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(scrubUsage);
    return 0;
  }
  const flags = parseScrubFlags(args);
  const { log, storage, extensions } = (await load(flags.configFile, env)).configuration;
  if (!storage.filesystem) throw new Error('scrub needs storage.filesystem: nothing else outlives the registry');
  const { createRegistryLogger } = await import('./serve/logging.ts');
  return scrubCommand({
    ...flags,
    rootDirectory: storage.filesystem.rootdirectory,
    bytesPerSecond: extensions.scrub.bytespersecond,
    logger: createRegistryLogger({ ...log, level: 'warn' }),
    signal,
    stdout: (text) => void process.stdout.write(text),
  });
}

async function load(file: string | undefined, env: Environment): Promise<LoadedConfiguration> {
  return loadConfiguration(await findConfigurationFile(file, env), env);
}
