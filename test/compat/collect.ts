import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { registryCommand, type TestRegistry } from '#test/support/registry.ts';

/** Runs the registry's own `garbage-collect` on its volume; gives the digests of the blobs that it names, sorted. */
export async function collectGarbage({ kind, configFile }: TestRegistry, ...flags: string[]): Promise<string[]> {
  const [command = '', ...args] = await registryCommand(kind);
  const { stdout, stderr } = await promisify(execFile)(command, [...args, 'garbage-collect', ...flags, configFile], {
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
    maxBuffer: 64 << 20,
  });
  const named = `${stdout}${stderr}`.matchAll(/blob eligible for deletion: (\S+)/g);
  return [...named].map(([, digest]) => digest ?? '').sort();
}
