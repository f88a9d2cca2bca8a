import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Client, Workspace } from './client.ts';

/** podman and buildah: one storage library, the same words. Each client gets a storage of its own. */
export async function engine(name: 'podman' | 'buildah', { run, folder }: Workspace): Promise<Client> {
  const storage = await folder();
  const global = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'vfs'];
  const engine = (...args: string[]) => run(name, ...global, ...args);

  /** By its relative path: the engine makes an image name of it, in which a temporary folder's capitals are refused. */
  async function load(layout: string): Promise<string> {
    const pulled = await engine('pull', '--quiet', `oci:${basename(layout)}:latest`);
    return pulled.trim();
  }

  async function push(layout: string, reference: string): Promise<string> {
    const digestFile = join(storage, 'digest');
    const image = await load(layout);
    await engine('push', '--quiet', '--tls-verify=false', '--digestfile', digestFile, image, `docker://${reference}`);
    await engine('rmi', '--force', image);
    return readFile(digestFile, 'utf8');
  }

  async function pull(reference: string): Promise<string> {
    const pulled = await engine('pull', '--quiet', '--tls-verify=false', reference);
    const format = name === 'podman' ? ['image', 'inspect', '--format'] : ['inspect', '--type', 'image', '--format'];
    const field = name === 'podman' ? '{{.Digest}}' : '{{.FromImageDigest}}';
    const digest = await engine(...format, field, pulled.trim());
    await engine('rmi', '--force', pulled.trim());
    return digest.trim();
  }

  async function pushIndex(layout: string, reference: string): Promise<string> {
    const digestFile = join(storage, 'index-digest');
    await engine('manifest', 'create', 'list');
    await engine('manifest', 'add', '--all', 'list', `oci:${layout}:latest`);
    const flags = ['--all', '--tls-verify=false', '--format', 'oci', '--digestfile', digestFile];
    await engine('manifest', 'push', ...flags, 'list', `docker://${reference}`);
    await engine('manifest', 'rm', 'list');
    return readFile(digestFile, 'utf8');
  }

  return {
    name,
    version: () => run(name, '--version'),
    push,
    pull,
    pushIndex,
    ...(name === 'podman' && {
      tags: async (repository: string) => {
        const [, ...rows] = (await engine('search', '--list-tags', '--tls-verify=false', repository))
          .trim()
          .split('\n');
        return rows.map((row) => row.split(/ +/)[1] ?? row);
      },
    }),
  };
}
