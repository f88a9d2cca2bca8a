import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { program } from '#test/support/programs.ts';
import type { Workspace } from './client.ts';

const commandTimeout = 120_000;

/** A workspace below `root`: home, caches, engine storage, all of it. */
export async function openWorkspace(root: string): Promise<Workspace> {
  const containers = join(root, '.config', 'containers');
  await mkdir(containers, { recursive: true });
  await mkdir(join(root, 'run'), { mode: 0o700 });
  await writeFile(join(containers, 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
  await writeFile(join(root, 'auth.json'), '{}');
  const env = {
    PATH: process.env['PATH'],
    HOME: root,
    TMPDIR: root,
    XDG_RUNTIME_DIR: join(root, 'run'),
    REGISTRY_AUTH_FILE: join(root, 'auth.json'),
    COSIGN_PASSWORD: '',
  };

  async function run(command: string, ...args: string[]): Promise<string> {
    const path = await program(command);
    return new Promise((resolve, reject) => {
      execFile(
        path,
        args,
        { env, cwd: root, timeout: commandTimeout, maxBuffer: 64 << 20 },
        (error, stdout, stderr) => {
          if (error) reject(new Error(`${command} ${args.join(' ')}: ${stderr || error.message}`, { cause: error }));
          else resolve(stdout);
        },
      );
    });
  }

  /** Lower case: podman makes an image name of the path. */
  let folders = 0;
  async function folder(): Promise<string> {
    const path = join(root, `folder-${folders++}`);
    await mkdir(path);
    return path;
  }

  return { run, folder };
}
