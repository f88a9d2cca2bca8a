/** The registry program: its commands, as distribution's `registry` has them. */
import { access } from 'node:fs/promises';
import type { Environment } from '#registry/config/load.ts';
import { version } from '#shared/version.ts';

const usage = `Usage:
  registry serve [config.yml]             run the registry
  registry garbage-collect [config.yml]   delete what no manifest refers to
  registry --version                      say which version this is

Without a file, the first of these is read: $REGISTRY_CONFIGURATION_PATH, /etc/distribution/config.yml,
/etc/docker/registry/config.yml. REGISTRY_* variables override it: REGISTRY_STORAGE_DELETE_ENABLED=true.
`;

/** The exit code. */
export async function main(argv: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<number> {
  const [command = 'help', ...rest] = argv;
  switch (command) {
    case 'serve':
      return run(() => serve(rest, env, signal));
    case 'garbage-collect':
      process.stderr.write('garbage-collect is not part of this version yet\n');
      return 2;
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

/** What is wrong in one paragraph, without a stack: it is the user who reads it. */
async function run(command: () => Promise<void>): Promise<number> {
  try {
    await command();
    return 0;
  } catch (error) {
    process.stderr.write(`registry: ${(error as Error).message}\n`);
    return 1;
  }
}

async function serve(args: string[], env: Environment, signal: AbortSignal): Promise<void> {
  const [{ loadConfiguration }, { serve: start }] = await Promise.all([
    import('#registry/config/load.ts'),
    import('#registry/serve.ts'),
  ]);
  await start(await loadConfiguration(await configurationFile(args, env), env), signal);
}

const defaultFiles = ['/etc/distribution/config.yml', '/etc/docker/registry/config.yml'];

/** Throws an Error that says what to type. */
async function configurationFile(args: string[], env: Environment): Promise<string> {
  if (args.length > 1) throw new Error(`one configuration file is expected, found ${args.join(' ')}`);
  const named = args[0] ?? env['REGISTRY_CONFIGURATION_PATH'];
  if (named !== undefined && named !== '') return named;
  for (const file of defaultFiles) {
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new Error(`no configuration file: type "registry serve config.yml" (looked for ${defaultFiles.join(' and ')})`);
}
