import type { DockerEngine } from '#test/support/docker-engine.ts';
import type { Client, Workspace } from './client.ts';

/** Docker's engine, with one of its two stores of images; skopeo makes archives that it can load. */
export function docker({ run, folder }: Workspace, { store, docker }: DockerEngine): Client {
  const archive = store === 'docker' ? 'docker-archive' : 'oci-archive';

  async function load(layout: string, reference: string, ...flags: string[]): Promise<void> {
    const file = `${await folder()}/archive.tar`;
    await run('skopeo', 'copy', '--quiet', ...flags, `oci:${layout}:latest`, `${archive}:${file}:${reference}`);
    await docker('load', '--input', file);
  }

  /** The last line that the engine prints of a push or a pull. */
  function digestIn(output: string): string {
    return /digest: (sha256:[0-9a-f]{64})/i.exec(output)?.[1] ?? output;
  }

  async function push(layout: string, reference: string, ...flags: string[]): Promise<string> {
    await load(layout, reference, ...flags);
    const output = await docker('push', reference);
    await docker('rmi', '--force', reference);
    return digestIn(output);
  }

  /** Docker's own store has no indexes: its client makes one of images that are in the registry. */
  async function pushList(layout: string, reference: string): Promise<string> {
    const images = ['amd64', 'arm64'].map((architecture) => `${reference}-${architecture}`);
    for (const image of images) await push(layout, image, '--override-arch', image.slice(reference.length + 1));
    await docker('manifest', 'create', '--insecure', reference, ...images);
    return (await docker('manifest', 'push', '--insecure', '--purge', reference)).trim();
  }

  return {
    name: store === 'docker' ? 'docker' : 'docker-containerd',
    version: () => docker('version', '--format', '{{.Server.Version}}'),
    push: (layout, reference) => push(layout, reference),
    pushIndex: (layout, reference) =>
      store === 'docker' ? pushList(layout, reference) : push(layout, reference, '--all'),
    pull: async (reference) => {
      const output = await docker('pull', reference);
      await docker('rmi', '--force', reference);
      return digestIn(output);
    },
  };
}
