import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The image's user: V8's cache is looked for under the version of Node, the processor and the user. */
const imageUser = 65532;

/**
 * Lets V8 compile the programs once, into `compiled/<version of Node>` beside main.js, where src/main.ts looks for it: a third
 * of a start is compiling. Another version of Node finds no folder, and compiles for itself.
 */
export async function writeCompileCache(app: string): Promise<void> {
  const compiled = join(app, 'compiled', process.version);
  await mkdir(compiled, { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), 'registry-operator-compile-'));
  try {
    const configFile = join(folder, 'config.yml');
    await writeFile(configFile, configuration(join(folder, 'data')));
    const main = join(app, 'main.js');
    // What a run compiled is written at its end; each adds what the ones before it did not load.
    await runProgram([main, 'registry', 'serve', configFile], 'debug server listening');
    await runProgram([main, 'registry', 'garbage-collect', configFile]);
    await runProgram([main, 'registry', 'scrub', configFile]);
    await runProgram([main, 'operator', '--help']);
    await runProgram([main, 'mirror-agent', '--help']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await shareWithImageUser(compiled);
}

function configuration(rootdirectory: string): string {
  return JSON.stringify({
    version: '0.1',
    storage: { filesystem: { rootdirectory } },
    http: { addr: '127.0.0.1:0', debug: { addr: '127.0.0.1:0', prometheus: { enabled: true } } },
  });
}

/** Runs it to its end; with `until`, asks it to end once it has said that. */
async function runProgram(args: string[], until?: string): Promise<void> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 });
  let output = '';
  let asked = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (asked || until === undefined || !output.includes(until)) return;
      asked = child.kill('SIGTERM');
    });
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.slice(1).join(' ')} ended with ${code}:\n${output}`);
}

async function shareWithImageUser(compiled: string): Promise<void> {
  const [own] = await readdir(compiled);
  if (own === undefined) throw new Error(`Node ${process.version} wrote no compile cache`);
  const files = await readdir(join(compiled, own));
  await Promise.all(files.map((file) => chmod(join(compiled, own, file), 0o644)));
  const shared = own.replace(/-\d+$/, `-${imageUser}`);
  if (shared !== own) await cp(join(compiled, own), join(compiled, shared), { recursive: true });
}
